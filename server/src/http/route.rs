//! One route: a method, an address and a handler, with what the types of the handler's arguments say.
//!
//! A handler is registered once, by `operations!` or [`Route::page`]; the actix route, the description of the API and
//! the table of who may call what all come from that.

use actix_web::{
    FromRequest, Handler, HttpRequest, Responder,
    dev::Payload,
    guard,
    http::Method,
    web::{self, Payload as PayloadArgument},
};
use utoipa::openapi::{
    OpenApi, RefOr, Schema,
    path::{HttpMethod, Operation},
};

use super::describe::{Describe, Description};
use crate::auth::access::Access;

/// One route of the server.
pub struct Route {
    /// The method.
    pub method: Method,
    /// The address, with its variables in braces.
    pub path: String,
    /// Who may call it, by the handler's arguments.
    pub access: Access,
    /// What the API's description says of it; `None` for pages, sockets and operations.
    pub described: Option<Described>,
    make: Box<dyn Fn() -> actix_web::Route + Send + Sync>,
}

/// What the API's description says of a route.
pub struct Described {
    /// The method, as the description has it.
    pub method: HttpMethod,
    /// The operation, with what follows from its handler's arguments.
    pub operation: Operation,
    /// The schemas that it refers to.
    pub schemas: Vec<(String, RefOr<Schema>)>,
    /// Whether its answers may be those of an earlier request with the same key.
    pub is_repeatable: bool,
}

impl Route {
    /// A route that is not part of the REST API.
    pub fn page<A: Arguments, H>(method: Method, path: &str, handler: H) -> Self
    where
        H: Handler<A> + Send + Sync,
        H::Output: Responder + 'static,
    {
        let make = maker(method.clone(), handler);
        Self { method, path: path.to_owned(), access: A::ACCESS, described: None, make }
    }

    /// An operation of the REST API. `document` holds it and nothing else.
    ///
    /// # Panics
    /// When the document does not hold exactly one operation.
    pub fn operation<A: Arguments, H>(document: OpenApi, handler: H) -> Self
    where
        H: Handler<A> + Send + Sync,
        H::Output: Responder + 'static,
    {
        let (path, item) = document.paths.paths.into_iter().next().expect("a handler describes one path");
        let (method, described_method, operation) = only_operation(item);
        let schemas = document.components.map(|components| components.schemas).unwrap_or_default();
        let schemas = schemas.into_iter().collect();
        let mut description = Description { operation, schemas, is_repeatable: false };
        A::describe(&mut description);
        let Description { operation, schemas, is_repeatable } = description;
        let described = Some(Described { method: described_method, operation, schemas, is_repeatable });
        Self { make: maker(method.clone(), handler), method, path, access: A::ACCESS, described }
    }

    /// The route for one worker of actix.
    pub fn to_actix(&self) -> actix_web::Route {
        (self.make)()
    }
}

fn only_operation(item: utoipa::openapi::PathItem) -> (Method, HttpMethod, Operation) {
    let operations = [
        (Method::GET, HttpMethod::Get, item.get),
        (Method::POST, HttpMethod::Post, item.post),
        (Method::PUT, HttpMethod::Put, item.put),
        (Method::PATCH, HttpMethod::Patch, item.patch),
        (Method::DELETE, HttpMethod::Delete, item.delete),
    ];
    let mut present = operations.into_iter().filter_map(|(method, named, found)| Some((method, named, found?)));
    present.next().expect("a handler describes one operation")
}

fn maker<A: Arguments, H>(method: Method, handler: H) -> Box<dyn Fn() -> actix_web::Route + Send + Sync>
where
    H: Handler<A> + Send + Sync,
    H::Output: Responder + 'static,
{
    Box::new(move || {
        let handler = handler.clone();
        answering(&method).to(move |request: HttpRequest, payload: PayloadArgument| {
            let handler = handler.clone();
            async move {
                let arguments = A::extract(&request, &mut payload.into_inner()).await?;
                Ok::<_, actix_web::Error>(handler.call(arguments).await.respond_to(&request).map_into_boxed_body())
            }
        })
    })
}

/// A route for this method. Whatever is read can be asked for without its content (RFC 9110, section 9.3.2).
fn answering(method: &Method) -> actix_web::Route {
    match *method {
        Method::GET => web::route().guard(guard::Any(guard::Get()).or(guard::Head())),
        _ => web::method(method.clone()),
    }
}

/// The arguments of a handler.
pub trait Arguments: Sized + 'static {
    /// Whom they let through.
    const ACCESS: Access;

    /// Adds what they say of the operation.
    fn describe(description: &mut Description);

    /// Makes them from a request, one after the other in the order of the signature: a handler whose principal stands
    /// before its body reads no body of a stranger. (actix extracts all at once, and answers the first error.)
    fn extract(request: &HttpRequest, payload: &mut Payload) -> impl Future<Output = Result<Self, actix_web::Error>>;
}

/// The first credential among a handler's arguments.
const fn first(credentials: &[Option<Access>]) -> Access {
    let mut at = 0;
    while at < credentials.len() {
        if let Some(access) = credentials[at] {
            return access;
        }
        at += 1;
    }
    Access::Anyone
}

macro_rules! arguments {
    ($($argument:ident)*) => {
        impl<$($argument: FromRequest + Describe + 'static),*> Arguments for ($($argument,)*) {
            const ACCESS: Access = first(&[$($argument::ACCESS),*]);

            fn describe(_description: &mut Description) {
                $($argument::describe(_description);)*
            }

            async fn extract(_request: &HttpRequest, _payload: &mut Payload) -> Result<Self, actix_web::Error> {
                Ok(($($argument::from_request(_request, _payload).await.map_err(Into::into)?,)*))
            }
        }
    };
}

arguments! {}
arguments! { A }
arguments! { A B }
arguments! { A B C }
arguments! { A B C D }
arguments! { A B C D E }
arguments! { A B C D E F }
arguments! { A B C D E F G }

/// Registers handlers that carry `#[utoipa::path]`: their method and address come from there.
macro_rules! operations {
    ($($($handler:ident)::+),+ $(,)?) => {
        vec![$({
            #[derive(utoipa::OpenApi)]
            #[openapi(paths($($handler)::+))]
            struct Only;
            $crate::http::route::Route::operation(<Only as utoipa::OpenApi>::openapi(), $($handler)::+)
        }),+]
    };
}

pub(crate) use operations;
