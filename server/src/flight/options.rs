//! The session's options: a catalog and a schema, each with one value.
//!
//! Owns the answers to Flight's session actions. Must never let an option change who somebody
//! is or what they may see: identity is proven at sign-in and attributes come from the feed.

use std::collections::HashMap;

use martlet_core::TableName;
use martlet_proto::flight::session_option_value::OptionValue;
use martlet_proto::flight::set_session_options_result::{Error, ErrorValue};
use martlet_proto::flight::{
    GetSessionOptionsResult, SessionOptionValue, SetSessionOptionsRequest, SetSessionOptionsResult,
};
use martlet_query::VisibleCatalog;

/// The options that exist and the one value of each.
const OPTIONS: [(&str, &str); 2] =
    [("catalog", VisibleCatalog::NAME), ("schema", TableName::MART_SCHEMA)];

/// Sets options to what they are; everything else is named in the answer.
pub(crate) fn set(request: &SetSessionOptionsRequest) -> SetSessionOptionsResult {
    let errors = request
        .session_options
        .iter()
        .filter_map(|(name, value)| {
            let error = refusal(name, value.option_value.as_ref())?;
            Some((name.clone(), Error { value: error.into() }))
        })
        .collect();
    SetSessionOptionsResult { errors }
}

fn refusal(name: &str, value: Option<&OptionValue>) -> Option<ErrorValue> {
    let Some((_, only)) = OPTIONS.iter().find(|(option, _)| *option == name) else {
        return Some(ErrorValue::InvalidName);
    };
    match value {
        // No value unsets the option, which gives its only one.
        None => None,
        Some(OptionValue::StringValue(text)) if text == only => None,
        Some(_) => Some(ErrorValue::InvalidValue),
    }
}

/// Tells all options.
pub(crate) fn get() -> GetSessionOptionsResult {
    let session_options: HashMap<String, SessionOptionValue> = OPTIONS
        .iter()
        .map(|(name, value)| {
            let value = OptionValue::StringValue((*value).to_string());
            ((*name).to_string(), SessionOptionValue { option_value: Some(value) })
        })
        .collect();
    GetSessionOptionsResult { session_options }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set_one(name: &str, value: Option<OptionValue>) -> Option<i32> {
        let value = SessionOptionValue { option_value: value };
        let session_options = HashMap::from([(name.to_string(), value)]);
        set(&SetSessionOptionsRequest { session_options }).errors.get(name).map(|error| error.value)
    }

    #[test]
    fn what_get_tells_can_be_set_and_nothing_else() {
        for (name, value) in get().session_options {
            assert_eq!(set_one(&name, value.option_value), None);
            assert_eq!(set_one(&name, None), None);
            let other = Some(OptionValue::StringValue("other".into()));
            assert_eq!(set_one(&name, other), Some(ErrorValue::InvalidValue.into()));
            let number = Some(OptionValue::Int64Value(1));
            assert_eq!(set_one(&name, number), Some(ErrorValue::InvalidValue.into()));
        }
    }

    #[test]
    fn nobody_becomes_somebody_else_by_an_option() {
        for name in ["user", "principal", "role", "node", "martlet.branch", ""] {
            let value = Some(OptionValue::StringValue("manager".into()));
            assert_eq!(set_one(name, value), Some(ErrorValue::InvalidName.into()), "{name}");
        }
    }
}
