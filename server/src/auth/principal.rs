//! A caller of the dispatchers' API who proved who they are: a person by their session, a program by its API key.

use chrono::{DateTime, Utc};
use doorstep_shared::{ApiKeyId, UserId};

use super::scope::Scope;
use crate::{domain::order::Actor, error::ApiError, live::connections::Holder, platform::token, store::access::Role};

/// A caller who proved who they are.
#[derive(Clone, Debug)]
pub enum Principal {
    /// A person at the console.
    User {
        /// Their id.
        id: UserId,
        /// Their address.
        email: String,
        /// What they may do.
        role: Role,
        /// SHA-256 of their session's secret.
        session: [u8; 32],
        /// When the session ends.
        expires_at: DateTime<Utc>,
    },
    /// A program.
    ApiKey {
        /// The key's id.
        id: ApiKeyId,
        /// The secret it showed; only kept to seal what is kept for it.
        secret: String,
        /// What it may do.
        scopes: Vec<String>,
    },
}

impl Principal {
    /// Whether the principal may do this. A person may do everything that a scope stands for.
    ///
    /// # Errors
    /// 403 when a key lacks the scope.
    pub fn check(&self, scope: Scope) -> Result<(), ApiError> {
        match self {
            Self::ApiKey { scopes, .. } if !scopes.iter().any(|held| held == scope.as_str()) => {
                Err(ApiError::missing_scope(scope.as_str()))
            }
            _ => Ok(()),
        }
    }

    /// The credential that keeps a socket of this principal open: the socket ends with it.
    pub fn holder(&self) -> Holder {
        match self {
            Self::User { id, session, .. } => Holder::Session { user: *id, token_hash: *session },
            Self::ApiKey { id, secret, .. } => Holder::ApiKey { id: *id, token_hash: token::hash(secret) },
        }
    }

    /// How an order's events name this principal.
    pub fn actor(&self) -> Actor {
        match self {
            Self::User { id, .. } => Actor::User(*id),
            Self::ApiKey { id, .. } => Actor::ApiKey(*id),
        }
    }
}
