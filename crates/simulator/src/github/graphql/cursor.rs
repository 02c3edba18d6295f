//! Opaque cursors that belong to one connection, as GitHub's do.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::Refusal;

/// A cursor behind one item of a connection.
pub fn to(connection: &str, item: &str) -> String {
    STANDARD.encode(format!("cursor:v2:{connection}:{item}"))
}

/// The item that a cursor of this connection stands behind.
pub fn from(connection: &str, cursor: &str) -> Result<String, Refusal> {
    let plain = STANDARD.decode(cursor).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let item = plain.as_deref().and_then(|plain| {
        plain.strip_prefix("cursor:v2:")?.strip_prefix(connection)?.strip_prefix(':')
    });
    item.map(str::to_owned).ok_or_else(|| {
        Refusal::new(
            "INVALID_CURSOR_ARGUMENTS",
            format!("`{cursor}` does not appear to be a valid cursor."),
        )
    })
}
