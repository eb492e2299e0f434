//! From the text to changes: which statements there are, and who is named in them.

use sqlparser::ast::{
    Action, CreatePolicy, CreatePolicyCommand, CreatePolicyType, CreateRole, DropPolicy, Grant,
    GrantObjects, Grantee, GranteeName, GranteesType, Ident, ObjectName, ObjectType, Owner,
    Privileges, Revoke, Statement,
};
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::keywords::Keyword;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::Token;

use super::{Change, NewRule, SqlRefused, condition};
use crate::rule::Effect;

const PEOPLE: &str = "a role is granted to roles; people get theirs from the feed of principals";

/// The statements with the lines at which they begin.
pub(super) fn read(sql: &str) -> Result<Vec<(u64, Change)>, SqlRefused> {
    let dialect = PostgreSqlDialect {};
    let broken = |error: ParserError| SqlRefused { line: 0, reason: in_words(&error) };
    let mut parser = Parser::new(&dialect).try_with_sql(sql).map_err(broken)?;
    let mut changes = Vec::new();
    loop {
        while parser.consume_token(&Token::SemiColon) {}
        let next = parser.peek_token();
        if next.token == Token::EOF {
            return Ok(changes);
        }
        let line = next.span.start.line;
        let change = one(&mut parser).map_err(|reason| SqlRefused { line, reason })?;
        changes.push((line, change));
    }
}

fn in_words(error: &ParserError) -> String {
    let text = match error {
        ParserError::TokenizerError(text) | ParserError::ParserError(text) => text.as_str(),
        ParserError::RecursionLimitExceeded => "it is nested too deeply",
    };
    format!("it cannot be read: {text}")
}

fn one(parser: &mut Parser<'_>) -> Result<Change, String> {
    let change = match membership(parser) {
        Some(word) => of_roles(parser, word).map_err(|error| in_words(&error))?,
        None => meant(parser.parse_statement().map_err(|error| in_words(&error))?)?,
    };
    match parser.peek_token().token {
        Token::SemiColon | Token::EOF => Ok(change),
        _ => Err("a statement ends with `;`".into()),
    }
}

/// `GRANT a TO b` has no `ON`: it is about roles.
fn membership(parser: &Parser<'_>) -> Option<Keyword> {
    let keyword = |at: usize| match parser.peek_nth_token(at).token {
        Token::Word(word) => Some(word.keyword),
        _ => None,
    };
    let first = keyword(0).filter(|word| matches!(word, Keyword::GRANT | Keyword::REVOKE))?;
    for at in 1.. {
        match (keyword(at), parser.peek_nth_token(at).token) {
            (Some(Keyword::ON), _) | (_, Token::EOF | Token::SemiColon) => return None,
            (Some(Keyword::TO | Keyword::FROM), _) => return Some(first),
            _ => {}
        }
    }
    None
}

fn of_roles(parser: &mut Parser<'_>, word: Keyword) -> Result<Change, ParserError> {
    parser.next_token();
    let granted = names(parser)?;
    parser.expect_one_of_keywords(&[if word == Keyword::GRANT {
        Keyword::TO
    } else {
        Keyword::FROM
    }])?;
    let roles = names(parser)?;
    Ok(if word == Keyword::GRANT {
        Change::GrantRoles { granted, roles }
    } else {
        Change::RevokeRoles { granted, roles }
    })
}

fn names(parser: &mut Parser<'_>) -> Result<Vec<String>, ParserError> {
    parser.parse_comma_separated(|parser| Ok(name(&parser.parse_identifier()?)))
}

/// Without quotes a name is in small letters, as in PostgreSQL.
pub(super) fn name(ident: &Ident) -> String {
    match ident.quote_style {
        Some(_) => ident.value.clone(),
        None => ident.value.to_lowercase(),
    }
}

/// A table's name; the schema `mart` is the one that is meant without one.
fn table(object: &ObjectName) -> Result<String, String> {
    let parts: Option<Vec<String>> =
        object.0.iter().map(|part| part.as_ident().map(name)).collect();
    match parts.as_deref() {
        Some([table]) => Ok(table.clone()),
        Some([schema, table]) if schema == "mart" => Ok(table.clone()),
        Some([schema, table]) => Ok(format!("{schema}.{table}")),
        _ => Err("a table is named by its schema and its name".into()),
    }
}

fn meant(statement: Statement) -> Result<Change, String> {
    match statement {
        Statement::CreateRole(create) => create_role(&create),
        Statement::Drop { object_type: ObjectType::Role, names, .. } => match names.as_slice() {
            [role] => Ok(Change::DropRole { role: table(role)? }),
            _ => Err("roles are dropped one by one".into()),
        },
        Statement::Grant(grant) => grant_tables(&grant),
        Statement::Revoke(revoke) => revoke_tables(&revoke),
        Statement::CreatePolicy(create) => Ok(Change::CreateRule(create_rule(create)?)),
        Statement::DropPolicy(DropPolicy { name: rule, table_name, .. }) => {
            Ok(Change::DropRule { rule: name(&rule), table: table(&table_name)? })
        }
        Statement::AlterTable { .. } => {
            Err("row rules are always on: there is nothing to enable, to force or to switch off"
                .into())
        }
        _ => {
            Err("rules are create role, drop role, grant, revoke, create policy and drop policy"
                .into())
        }
    }
}

fn create_role(create: &CreateRole) -> Result<Change, String> {
    let [role] = create.names.as_slice() else { return Err("roles are made one by one".into()) };
    let CreateRole { login, superuser, create_db, create_role, replication, bypassrls, .. } =
        create;
    let powers = [superuser, create_db, create_role, replication, bypassrls];
    if powers.into_iter().any(|power| *power == Some(true)) {
        return Err("a role has no powers beside reading: nobody is above the rules".into());
    }
    let of_people = *login == Some(true)
        || create.password.is_some()
        || create.connection_limit.is_some()
        || create.valid_until.is_some();
    if of_people || !(create.user.is_empty() && create.role.is_empty() && create.admin.is_empty()) {
        return Err(format!("who signs in, and with which roles, is not a role's: {PEOPLE}"));
    }
    if create.inherit == Some(false) || create.if_not_exists {
        return Err("a role inherits what it is in, and is made where there is none".into());
    }
    let inherits = create.in_role.iter().chain(&create.in_group).map(name).collect();
    Ok(Change::CreateRole { role: table(role)?, inherits })
}

fn grant_tables(grant: &Grant) -> Result<Change, String> {
    let Grant { privileges, objects, grantees, with_grant_option, .. } = grant;
    if *with_grant_option {
        return Err("rights are not handed on: there is no grant option".into());
    }
    let tables = readable(privileges, objects.as_ref())?;
    Ok(Change::GrantTables { tables, roles: roles(grantees)? })
}

fn revoke_tables(revoke: &Revoke) -> Result<Change, String> {
    let Revoke { privileges, objects, grantees, .. } = revoke;
    let tables = readable(privileges, objects.as_ref())?;
    Ok(Change::RevokeTables { tables, roles: roles(grantees)? })
}

/// The tables of a `SELECT ON`.
fn readable(
    privileges: &Privileges,
    objects: Option<&GrantObjects>,
) -> Result<Vec<String>, String> {
    match privileges {
        Privileges::Actions(actions) => match actions.as_slice() {
            [Action::Select { columns: None }] => {}
            [Action::Select { columns: Some(_) }] => {
                return Err("how columns are shown is said of their classes, in roles.toml, and \
                            counts for every table"
                    .into());
            }
            _ => return Err("tables are only read: grant select".into()),
        },
        Privileges::All { .. } => return Err("tables are only read: grant select".into()),
    }
    let Some(GrantObjects::Tables(tables)) = objects else {
        return Err("tables are granted one by one, by their names".into());
    };
    tables.iter().map(table).collect()
}

fn roles(grantees: &[Grantee]) -> Result<Vec<String>, String> {
    let role = |grantee: &Grantee| match (&grantee.grantee_type, &grantee.name) {
        (GranteesType::None | GranteesType::Role, Some(GranteeName::ObjectName(name))) => {
            table(name)
        }
        _ => Err(format!("there is no `public`, and no user here: {PEOPLE}")),
    };
    grantees.iter().map(role).collect()
}

fn create_rule(create: CreatePolicy) -> Result<NewRule, String> {
    let CreatePolicy { name: rule, table_name, policy_type, command, to, using, with_check } =
        create;
    if !matches!(command, None | Some(CreatePolicyCommand::All | CreatePolicyCommand::Select)) {
        return Err("a policy is for select: nothing is written over a connection".into());
    }
    if with_check.is_some() {
        return Err("there is no with check: nothing is written over a connection".into());
    }
    let role = |owner: Owner| match owner {
        Owner::Ident(role) if !role.value.eq_ignore_ascii_case("public") => Ok(name(&role)),
        _ => Err(()),
    };
    let roles: Result<Vec<String>, ()> = to.into_iter().flatten().map(role).collect();
    let roles = roles
        .ok()
        .filter(|roles| !roles.is_empty())
        .ok_or("a policy names its roles: `to` a role, and another; there is no `public`")?;
    let using =
        using.ok_or("a policy says which rows: `using (…)`; all of them are `using (true)`")?;
    Ok(NewRule {
        name: name(&rule),
        effect: match policy_type {
            None | Some(CreatePolicyType::Permissive) => Effect::Permit,
            Some(CreatePolicyType::Restrictive) => Effect::Restrict,
        },
        roles,
        table: table(&table_name)?,
        rows: condition::rows(&using)?,
    })
}
