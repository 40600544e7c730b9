//! What a group of handlers works with, named once: a struct of pieces of the state, taken like any other argument.

/// Declares such a struct, which says nothing of who may call the handlers that take it.
macro_rules! context {
    ($(#[$meta:meta])* $visibility:vis struct $name:ident { $($field:ident: $piece:ty),+ $(,)? }) => {
        $crate::http::context::pieces! {
            $(#[$meta])* $visibility struct $name { $($field: $piece),+ }
        }

        impl $crate::http::describe::Describe for $name {}
    };
}

/// The same without that. Each field is `Data` of a piece that [`crate::state::AppState::register`] registers.
macro_rules! pieces {
    ($(#[$meta:meta])* $visibility:vis struct $name:ident { $($field:ident: $piece:ty),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone)]
        $visibility struct $name {
            $($field: actix_web::web::Data<$piece>,)+
        }

        impl actix_web::FromRequest for $name {
            type Error = $crate::error::ApiError;
            type Future = std::future::Ready<Result<Self, Self::Error>>;

            fn from_request(request: &actix_web::HttpRequest, _: &mut actix_web::dev::Payload) -> Self::Future {
                let context = || Ok(Self { $($field: $crate::auth::registered::registered(request)?,)+ });
                std::future::ready(context())
            }
        }
    };
}

pub(crate) use {context, pieces};
