//! Paging by the `Link` header (RFC 8288): the token of the next page.

/// The `page_token` of the link with `rel="next"`; `None` on the last page.
///
/// `header` may hold several links; their addresses may be relative.
pub fn next_page_token(header: &str) -> Option<String> {
    links(header).find(|(_, parameters)| is_next(parameters)).and_then(|(address, _)| {
        let (_, query) = address.split_once('?')?;
        url::form_urlencoded::parse(query.as_bytes())
            .find(|(name, _)| name == "page_token")
            .map(|(_, token)| token.into_owned())
    })
}

/// Addresses and parameters: `<a>; rel="x", <b>; rel="y"`. An address may hold commas and semicolons.
fn links(header: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut rest = header;
    std::iter::from_fn(move || {
        let (_, from_address) = rest.split_once('<')?;
        let (address, after) = from_address.split_once('>')?;
        let end = after.find(",<").or_else(|| after.find(", <")).unwrap_or(after.len());
        rest = &after[end..];
        Some((address, &after[..end]))
    })
}

fn is_next(parameters: &str) -> bool {
    parameters.split(';').filter_map(|parameter| parameter.split_once('=')).any(|(name, value)| {
        name.trim().eq_ignore_ascii_case("rel")
            && value.trim().trim_matches('"').split_whitespace().any(|rel| rel.eq_ignore_ascii_case("next"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_link_is_found_among_others() {
        let header = r#"</admin/clients?page_size=3&page_token=a%3D>; rel="first",</admin/clients?page_size=3&page_token=b%3D>; rel="next""#;
        assert_eq!(next_page_token(header).as_deref(), Some("b="));
        assert_eq!(next_page_token(r#"<https://h/x?a=1,2;3&page_token=t>; title="n"; rel=next"#).as_deref(), Some("t"));
    }

    #[test]
    fn no_next_link_is_the_last_page() {
        assert_eq!(next_page_token(r#"</admin/clients?page_token=a>; rel="first""#), None);
        assert_eq!(next_page_token(""), None);
        assert_eq!(next_page_token("<broken"), None);
    }
}
