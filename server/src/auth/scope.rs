//! What an API key may be allowed, as values and as types.
//!
//! A handler names the scopes it needs as a type, `Allowed<OrdersWrite>` or `Allowed<(OrdersRead, CouriersRead)>`, so
//! the compiler, the route table and the API's description all read the same line.

pub use doorstep_shared::api::keys::Scope;

/// One scope as a type.
pub trait ScopeType: 'static {
    /// The scope.
    const SCOPE: Scope;
}

/// The scopes that a caller needs, as a type.
pub trait Scopes: 'static {
    /// All of them; a key must hold every one. They are checked in this order.
    const NEEDED: &'static [Scope];
}

impl<S: ScopeType> Scopes for S {
    const NEEDED: &'static [Scope] = &[S::SCOPE];
}

impl<A: ScopeType, B: ScopeType> Scopes for (A, B) {
    const NEEDED: &'static [Scope] = &[A::SCOPE, B::SCOPE];
}

/// No scope in particular: for what every caller of the API may know.
#[derive(Clone, Copy, Debug)]
pub struct AnyScope;

impl Scopes for AnyScope {
    const NEEDED: &'static [Scope] = &[];
}

macro_rules! scope_types {
    ($($scope:ident)+) => {
        $(
            #[doc = concat!("[`Scope::", stringify!($scope), "`] as a type.")]
            #[derive(Clone, Copy, Debug)]
            pub struct $scope;

            impl ScopeType for $scope {
                const SCOPE: Scope = Scope::$scope;
            }
        )+
    };
}

scope_types! { OrdersRead OrdersWrite CouriersRead CouriersWrite FleetRead }
