//! What an API key may be allowed, as values and as types.
//!
//! A handler names the scopes it needs as a type, `Allowed<OrdersWrite>` or `Allowed<(OrdersRead, CouriersRead)>`, so
//! the compiler, the route table and the API's description all read the same line.

use std::str::FromStr;

/// Something that an API key may be allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Look at orders.
    OrdersRead,
    /// Create and change orders.
    OrdersWrite,
    /// Look at couriers and their fixes.
    CouriersRead,
    /// Create couriers and devices.
    CouriersWrite,
    /// The live fleet.
    FleetRead,
}

impl Scope {
    /// Every scope; what a key gets when none is named.
    pub const ALL: [Self; 5] =
        [Self::OrdersRead, Self::OrdersWrite, Self::CouriersRead, Self::CouriersWrite, Self::FleetRead];

    /// The word on the command line and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OrdersRead => "orders:read",
            Self::OrdersWrite => "orders:write",
            Self::CouriersRead => "couriers:read",
            Self::CouriersWrite => "couriers:write",
            Self::FleetRead => "fleet:read",
        }
    }
}

impl FromStr for Scope {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        let known = || Self::ALL.map(Self::as_str).join(", ");
        Self::ALL.into_iter().find(|scope| scope.as_str() == word).ok_or_else(|| format!("scopes are {}", known()))
    }
}

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
