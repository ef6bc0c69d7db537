//! Expressions that go from a value to one in it: members, places in lists, methods.

use rhai::{ASTFlags, BinaryExpr, Expr, FnCallExpr, Position as At};

use super::known::Known;

/// A member's name, and where it stands.
pub type Member = (String, At);

/// What gives the same list with fewer in it, or in another order.
pub const KEEPING: [&str; 4] = ["filter", "to_array", "sort", "order"];

/// A step from a value to one in it, or to one that it gives.
pub struct Step<'a> {
    /// Whether it stands between brackets.
    is_index: bool,
    of: &'a Expr,
}

impl Step<'_> {
    /// The member that it looks for.
    pub fn member(&self) -> Option<Member> {
        match self.of {
            Expr::Property(property, at) if !self.is_index => Some((property.2.to_string(), *at)),
            Expr::StringConstant(text, at) if self.is_index => Some((text.to_string(), *at)),
            _ => None,
        }
    }

    /// What it leads to.
    pub fn from(&self, known: Known) -> Option<Known> {
        match (self.member(), self.of) {
            (Some((name, _)), _) => known.member(&name),
            (None, Expr::IntegerConstant(..) | Expr::Variable(..)) if self.is_index => known.entry(),
            (None, Expr::MethodCall(call, _)) if KEEPING.contains(&call.name.as_str()) => {
                known.is_list.then_some(known)
            }
            _ => None,
        }
    }

    /// The method that it calls.
    pub fn call(&self) -> Option<&FnCallExpr> {
        match self.of {
            Expr::MethodCall(call, _) if !self.is_index => Some(call),
            _ => None,
        }
    }
}

/// The two sides of a step, and whether that stands between brackets.
fn parts(expression: &Expr) -> Option<(&BinaryExpr, bool, &ASTFlags)> {
    match expression {
        Expr::Dot(pair, flags, _) => Some((pair, false, flags)),
        Expr::Index(pair, flags, _) => Some((pair, true, flags)),
        _ => None,
    }
}

/// What a chain of members, places and methods begins with, and what follows.
pub fn chain(expression: &Expr) -> Option<(&Expr, Vec<Step<'_>>)> {
    let (mut pair, mut is_index, mut flags) = parts(expression)?;
    let (root, mut steps) = (&pair.lhs, Vec::new());
    // What is behind the last bracket of a chain is all of it.
    while let Some(next) = parts(&pair.rhs).filter(|_| !(is_index && flags.contains(ASTFlags::BREAK))) {
        steps.push(Step { is_index, of: &next.0.lhs });
        (pair, is_index, flags) = next;
    }
    steps.push(Step { is_index, of: &pair.rhs });
    Some((root, steps))
}

/// The member that is looked for in a variable: its name, and the member's.
pub fn member(expression: &Expr) -> Option<(String, Member)> {
    let (of, member) = looked(expression)?;
    Some((variable(of)?, member))
}

/// The member that an expression looks for, and what it looks in.
pub fn looked(expression: &Expr) -> Option<(&Expr, Member)> {
    let (pair, is_index) = match expression {
        Expr::Dot(pair, _, _) => (pair, false),
        Expr::Index(pair, _, _) => (pair, true),
        _ => return None,
    };
    let first = match &pair.rhs {
        Expr::Dot(inner, _, _) | Expr::Index(inner, _, _) => &inner.lhs,
        other => other,
    };
    match first {
        Expr::Property(property, at) if !is_index => Some((&pair.lhs, (property.2.to_string(), *at))),
        Expr::StringConstant(text, at) if is_index => Some((&pair.lhs, (text.to_string(), *at))),
        _ => None,
    }
}

/// The name of a variable.
pub fn variable(expression: &Expr) -> Option<String> {
    match expression {
        Expr::Variable(variable, _, _) => Some(variable.1.to_string()),
        _ => None,
    }
}
