//! Differences that carry amounts: sums live in the difference type, as integers, so no reduce is
//! needed for them.

/// Declares a difference of named `i64` amounts that add up field by field.
///
/// A difference whose fields are all zero does not exist. Pair an amount that may cancel with a
/// count.
macro_rules! amounts {
    (
        $(#[$doc:meta])*
        pub struct $name:ident { $($(#[$field_doc:meta])* pub $field:ident),+ $(,)? }
    ) => {
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash,
            serde::Serialize, serde::Deserialize,
        )]
        pub struct $name { $($(#[$field_doc])* pub $field: i64),+ }

        impl $name {
            /// The amounts times `sign`.
            #[must_use]
            pub fn times(self, sign: i64) -> Self {
                Self { $($field: self.$field * sign),+ }
            }
        }

        impl differential_dataflow::difference::IsZero for $name {
            fn is_zero(&self) -> bool {
                $(self.$field == 0)&&+
            }
        }

        impl differential_dataflow::difference::Semigroup for $name {
            fn plus_equals(&mut self, rhs: &Self) {
                $(self.$field += rhs.$field;)+
            }
        }

        impl differential_dataflow::difference::Monoid for $name {
            fn zero() -> Self {
                Self::default()
            }
        }

        impl differential_dataflow::difference::Abelian for $name {
            fn negate(&mut self) {
                $(self.$field = -self.$field;)+
            }
        }
    };
}

pub(crate) use amounts;

#[cfg(test)]
mod tests {
    use differential_dataflow::difference::{IsZero, Semigroup};

    amounts! {
        /// Two amounts.
        pub struct Pair {
            /// The first.
            pub left,
            /// The second.
            pub right,
        }
    }

    #[test]
    fn amounts_add_up_and_vanish_only_when_all_are_zero() {
        let mut pair = Pair { left: 3, right: -1 };
        pair.plus_equals(&Pair { left: -3, right: 0 });
        assert!(!pair.is_zero());
        pair.plus_equals(&Pair { left: 0, right: 1 });
        assert!(pair.is_zero());
        assert_eq!(Pair { left: 2, right: 5 }.times(-1), Pair { left: -2, right: -5 });
    }
}
