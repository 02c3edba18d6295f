//! Who asks: what every handler of the API takes first, so that none can forget to check.

use actix_web::dev::Payload;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest};
use domain::ids::ClientId;
use futures::future::LocalBoxFuture;

use super::door::{Door, Visitor};
use crate::error::ApiError;

/// An administrator, and the client on whose rows alone they act.
pub(crate) struct Caller {
    pub(crate) client: ClientId,
    pub(crate) visitor: Visitor,
}

impl FromRequest for Caller {
    type Error = ApiError;
    type Future = LocalBoxFuture<'static, Result<Caller, ApiError>>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let door =
                request.app_data::<Data<Door>>().expect("the door is set up with the routes");
            let visitor = door.visitor(&request).await?;
            let client = door.client(&visitor).await?;
            Ok(Caller { client, visitor })
        })
    }
}
