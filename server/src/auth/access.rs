//! Who may call an operation: what a credential in a handler's signature stands for.

use super::scope::Scope;

/// Who may call an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Every caller, with or without credentials.
    Anyone,
    /// A signed-in person, or an API key with all of these scopes.
    Scopes(&'static [Scope]),
    /// A person with a session. Without one a key and a stranger get the same answer, 401.
    SignedIn,
    /// A signed-in person. A key is refused with 403.
    Person,
    /// A signed-in admin. Dispatchers and keys are refused with 403.
    Admin,
    /// A signed-in admin, or an API key with all of these scopes. Dispatchers are refused with 403.
    AdminOrScopes(&'static [Scope]),
    /// A courier's phone or browser.
    Courier,
    /// As [`Access::Scopes`], or a courier's phone or browser for what is their own.
    ScopesOrCourier(&'static [Scope]),
    /// The holder of a tracking link: the token in the path is the credential.
    TrackingLink,
    /// A tracking app with a device's token.
    Tracker,
}

/// A handler's argument that lets only some callers through.
pub trait Credential {
    /// Whom it lets through.
    const ACCESS: Access;
}
