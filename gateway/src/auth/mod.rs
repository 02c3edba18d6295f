//! Who may come in. The Backend Service knows the people; here its word is asked for, kept for a
//! moment, and turned into a [`Caller`].

mod backend;
mod caller;
mod code;
mod cookies;
mod door;
mod origins;
pub(crate) mod signin;
mod tokens;
mod verdicts;

pub(crate) use backend::{AnyId, Backend, Colors};
pub(crate) use caller::Caller;
pub(crate) use code::Codes;
pub(crate) use cookies::{
    RETURN_URL, Renewed, read as read_cookie, token as token_cookie, wanted as wanted_cookie,
};
pub(crate) use door::{Door, Refusal};
pub(crate) use origins::Origins;
pub(crate) use verdicts::Shared;
