//! The tools of the agent: a calculator for two numbers, and a search in notes.

use std::{error, fmt};

use serde_json::{Value, json};

use crate::notes;

pub(crate) const CALCULATE: &str = "calculate";
pub(crate) const SEARCH: &str = "search";

/// Returns the tools as a request offers them.
pub(crate) fn offered() -> Value {
    let tool = |name: &str, argument: &str, description: &str| {
        json!({"type": "function", "function": {
            "name": name,
            "description": description,
            "parameters": {
                "type": "object",
                "properties": {argument: {"type": "string"}},
                "required": [argument],
            },
        }})
    };
    json!([
        tool(
            CALCULATE,
            "expression",
            "Calculates with two integers: a + b, a - b, a * b, a / b"
        ),
        tool(
            SEARCH,
            "query",
            "Returns the note about containers that is nearest to the query"
        ),
    ])
}

/// Runs a tool. `arguments` is what a model wrote: it may be anything.
///
/// # Errors
/// There is no such tool, its argument is missing, or it cannot be calculated.
pub(crate) fn run(name: &str, arguments: &str) -> Result<String, ToolError> {
    let arguments: Value = serde_json::from_str(arguments).map_err(ToolError::NoJson)?;
    let argument = |name: &str| arguments.get(name).and_then(Value::as_str);
    match name {
        CALCULATE => calculate(argument("expression").ok_or(ToolError::Missing("expression"))?),
        SEARCH => {
            let query = argument("query").ok_or(ToolError::Missing("query"))?;
            Ok(notes::nearest(query).to_owned())
        }
        _ => Err(ToolError::Unknown),
    }
}

fn calculate(expression: &str) -> Result<String, ToolError> {
    let parts: Vec<&str> = expression.split_whitespace().collect();
    let &[left, operator, right] = parts.as_slice() else {
        return Err(ToolError::NoExpression);
    };
    let number = |text: &str| text.parse::<i64>().map_err(|_| ToolError::NoExpression);
    let (left, right) = (number(left)?, number(right)?);
    let result = match operator {
        "+" => left.checked_add(right),
        "-" => left.checked_sub(right),
        "*" => left.checked_mul(right),
        "/" if right == 0 => return Err(ToolError::DivisionByZero),
        "/" => left.checked_div(right),
        _ => return Err(ToolError::NoExpression),
    };
    let result = result.ok_or(ToolError::TooLarge)?;
    Ok(result.to_string())
}

/// Why a tool gave nothing.
#[derive(Debug)]
pub(crate) enum ToolError {
    Unknown,
    NoJson(serde_json::Error),
    Missing(&'static str),
    NoExpression,
    DivisionByZero,
    TooLarge,
}

impl fmt::Display for ToolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ToolError::Unknown => f.write_str("there is no such tool"),
            ToolError::NoJson(_) => f.write_str("the arguments are no JSON"),
            ToolError::Missing(name) => write!(f, "the argument {name} is missing"),
            ToolError::NoExpression => f.write_str("that is no expression of two integers"),
            ToolError::DivisionByZero => f.write_str("division by zero"),
            ToolError::TooLarge => f.write_str("the result is too large"),
        }
    }
}

impl error::Error for ToolError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            ToolError::NoJson(error) => Some(error),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_calculates() {
        let of = |expression: &str| {
            let arguments = json!({"expression": expression}).to_string();
            run(CALCULATE, &arguments).map_err(|error| error.to_string())
        };
        assert_eq!(of("17 * 23").as_deref(), Ok("391"));
        assert_eq!(of("7 / 2").as_deref(), Ok("3"));
        assert_eq!(of("7 / 0").unwrap_err(), "division by zero");
        assert_eq!(
            of(&format!("{} * 2", i64::MAX)).unwrap_err(),
            "the result is too large"
        );
        assert!(of("7 ** 2").is_err() && of("seven + 2").is_err() && of("7").is_err());
    }

    #[test]
    fn what_a_model_makes_up_is_an_error() {
        assert!(matches!(run("launch", "{}"), Err(ToolError::Unknown)));
        assert!(matches!(run(SEARCH, "{"), Err(ToolError::NoJson(_))));
        assert!(matches!(
            run(SEARCH, "[1]"),
            Err(ToolError::Missing("query"))
        ));
    }
}
