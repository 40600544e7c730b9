//! Finds the pieces of the state that [`crate::state::AppState::register`] gives to every worker.

use actix_web::{HttpRequest, web::Data};

use crate::error::ApiError;

/// The registered piece of this type.
///
/// # Errors
/// 500 when nothing registered it, which is a mistake in this program.
pub fn registered<T: ?Sized + 'static>(request: &HttpRequest) -> Result<Data<T>, ApiError> {
    let found = request.app_data::<Data<T>>().cloned();
    found.ok_or_else(|| ApiError::internal(&format_args!("{} is not registered", std::any::type_name::<T>())))
}
