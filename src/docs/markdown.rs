//! Help text: Markdown with the links that Python's documentation server makes.
//!
//! Links are URLs, `RFC 1952`, `PEP 8` and names of methods before a parenthesis, and `self.name` is bold; on word
//! boundaries, and case-sensitive. Raw HTML in the text is shown, not obeyed.

use std::borrow::Cow;
use std::fmt::Write;

use maud::{Markup, PreEscaped};
use pulldown_cmark::{CowStr, Event, HeadingLevel, LinkType, Options, Parser, Tag, TagEnd, TextMergeStream};

/// Turns help text into HTML. `anchor` finds the anchor of a method by its name.
pub(super) fn render(text: &str, anchor: &dyn Fn(&str) -> Option<String>) -> Markup {
    let text = &*listed(text);
    let mut literal = false;
    // merged, because the parser splits text where markup could have been
    let parser = TextMergeStream::new(Parser::new_ext(text, Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH));
    let events = parser.flat_map(|event| {
        match &event {
            Event::Start(Tag::Link { .. } | Tag::CodeBlock(_) | Tag::Image { .. }) => literal = true,
            Event::End(TagEnd::Link | TagEnd::CodeBlock | TagEnd::Image) => literal = false,
            _ => {}
        }
        match event {
            Event::Text(text) if !literal => linked(&text, anchor),
            event => vec![tamed(event)],
        }
    });
    let mut out = String::new();
    pulldown_cmark::html::push_html(&mut out, events);
    PreEscaped(out)
}

/// Turns field lists of reStructuredText, which authors bring along from Python, into a list: `:param a: the first`.
fn listed(text: &str) -> Cow<'_, str> {
    if !text.contains(':') {
        return text.into();
    }
    let mut is_code = false;
    let written = |line| {
        is_code ^= str::trim_start(line).starts_with("```");
        if is_code { None } else { field(line) }.map_or(Cow::Borrowed(line), Cow::Owned)
    };
    let lines: Vec<Cow<'_, str>> = text.lines().map(written).collect();
    lines.join("\n").into()
}

/// Turns a line that is a field into an item of a list.
fn field(line: &str) -> Option<String> {
    let start = line.trim_start_matches(' ');
    // a line indented by four blanks is code
    if line.len() - start.len() >= 4 {
        return None;
    }
    let (field, text) = start.strip_prefix(':')?.split_once(':')?;
    let mut words = field.split_whitespace();
    let kind = words.next()?;
    let name = words.next_back().map(|name| format!(" `{name}`")).unwrap_or_default();
    let kind = match kind {
        "param" | "parameter" | "arg" | "argument" | "key" | "keyword" => "",
        "type" => "Type of",
        "raise" | "raises" | "except" | "exception" => "Raises",
        "return" | "returns" => "Returns",
        "rtype" => "Type of the result",
        _ => return None,
    };
    let head = format!("{kind}{name}");
    Some(format!("* {}: {}", head.trim_start(), text.trim()))
}

/// Returns whether a text is a single paragraph in which neither Markdown nor a link can begin: most are.
pub(super) fn is_words(text: &str) -> bool {
    let is_plain = |octet: u8| octet.is_ascii_alphanumeric() || octet >= 0x80 || b" ,.;?'".contains(&octet);
    let has_links = ["RFC", "PEP", "self."].iter().any(|link| text.contains(link));
    text.starts_with(|first: char| first.is_alphabetic())
        && !text.ends_with(' ')
        && text.bytes().all(is_plain)
        && !has_links
}

/// Returns the words of help text without its markup.
pub(super) fn plain(text: &str) -> String {
    if is_words(text) {
        return text.to_owned();
    }
    let words = Parser::new(text).filter_map(|event| match event {
        Event::Text(text) | Event::Code(text) | Event::InlineHtml(text) | Event::Html(text) => Some(text.into_string()),
        Event::SoftBreak | Event::HardBreak => Some(" ".to_owned()),
        _ => None,
    });
    words.collect()
}

/// Restricts an event to text: the page has headings of its own, and help text is not trusted with more.
fn tamed(event: Event<'_>) -> Event<'_> {
    match event {
        Event::Html(html) | Event::InlineHtml(html) => Event::Text(html),
        Event::Start(Tag::Heading { id, classes, attrs, .. }) => {
            Event::Start(Tag::Heading { level: HeadingLevel::H4, id, classes, attrs })
        }
        Event::End(TagEnd::Heading(_)) => Event::End(TagEnd::Heading(HeadingLevel::H4)),
        Event::Start(Tag::Link { link_type, dest_url, title, id }) => {
            let dest_url = if is_harmless(&dest_url) { dest_url } else { CowStr::Borrowed("") };
            Event::Start(Tag::Link { link_type, dest_url, title, id })
        }
        // nothing is loaded from elsewhere: an image becomes its text
        Event::Start(Tag::Image { .. }) => Event::Start(Tag::Emphasis),
        Event::End(TagEnd::Image) => Event::End(TagEnd::Emphasis),
        event => event,
    }
}

/// Returns whether a link is safe to click: no scripts, no data.
fn is_harmless(url: &str) -> bool {
    let scheme = url.split(['/', '?', '#']).next().unwrap_or_default().split_once(':').map(|(scheme, _)| scheme);
    scheme.is_none_or(|scheme| {
        ["http", "https", "ftp", "mailto"].iter().any(|known| known.eq_ignore_ascii_case(scheme.trim()))
    })
}

/// Finds links in plain text.
fn linked(text: &str, anchor: &dyn Fn(&str) -> Option<String>) -> Vec<Event<'static>> {
    let mut events = Vec::new();
    let mut plain = 0;
    let mut at = 0;
    while at < text.len() {
        let at_boundary = !text[..at].chars().next_back().is_some_and(is_word);
        match at_boundary.then(|| find_link(&text[at..], anchor)).flatten() {
            Some((len, event)) => {
                events.push(Event::Text(text[plain..at].to_owned().into()));
                events.extend(event);
                at += len;
                plain = at;
            }
            None => at += text[at..].chars().next().map_or(1, char::len_utf8),
        }
    }
    events.push(Event::Text(text[plain..].to_owned().into()));
    events
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// Finds the link at the start of a text: its length in octets, and the events that replace it.
fn find_link(text: &str, anchor: &dyn Fn(&str) -> Option<String>) -> Option<(usize, Vec<Event<'static>>)> {
    find_url(text).or_else(|| find_document(text)).or_else(|| find_method(text, anchor))
}

fn link(text: &str, url: String) -> (usize, Vec<Event<'static>>) {
    let (title, id) = (CowStr::Borrowed(""), CowStr::Borrowed(""));
    let start = Event::Start(Tag::Link { link_type: LinkType::Autolink, dest_url: url.into(), title, id });
    (text.len(), vec![start, Event::Text(text.to_owned().into()), Event::End(TagEnd::Link)])
}

/// Finds a URL, which ends at the last word character or slash before white space.
fn find_url(text: &str) -> Option<(usize, Vec<Event<'static>>)> {
    let scheme = ["http://", "https://", "ftp://"].into_iter().find(|scheme| text.starts_with(scheme))?;
    let end = text.find(char::is_whitespace).unwrap_or(text.len());
    let last =
        text[scheme.len()..end].char_indices().rfind(|(_, character)| is_word(*character) || *character == '/')?;
    let url = &text[..scheme.len() + last.0 + last.1.len_utf8()];
    Some(link(url, url.to_owned()))
}

/// Finds `RFC 1952` or `PEP 8`, with a blank, a dash or nothing before the number.
fn find_document(text: &str) -> Option<(usize, Vec<Event<'static>>)> {
    let series = ["RFC", "PEP"].into_iter().find(|series| text.starts_with(series))?;
    let rest = &text[series.len()..];
    let number = rest.strip_prefix([' ', '-']).unwrap_or(rest);
    let digits = number.len() - number.trim_start_matches(|digit: char| digit.is_ascii_digit()).len();
    if number[digits..].starts_with(is_word) {
        return None;
    }
    let value: u32 = number[..digits].parse().ok()?;
    let len = text.len() - number.len() + digits;
    let url = match series {
        "RFC" => format!("https://www.rfc-editor.org/rfc/rfc{value}.txt"),
        _ => format!("https://peps.python.org/pep-{value:04}/"),
    };
    Some(link(&text[..len], url))
}

/// Finds a method's name before a parenthesis, or `self.name` without one.
fn find_method(text: &str, anchor: &dyn Fn(&str) -> Option<String>) -> Option<(usize, Vec<Event<'static>>)> {
    let is_name = |character: char| is_word(character) || character == '.';
    let name = &text[..text.find(|character| !is_name(character)).unwrap_or(text.len())];
    let name = name.trim_end_matches('.');
    let called = text[name.len()..].starts_with('(');
    if called {
        let anchor = anchor(name).or_else(|| anchor(name.strip_prefix("self.")?))?;
        return Some(link(name, format!("#{anchor}")));
    }
    let member = name.strip_prefix("self.").filter(|member| !member.is_empty())?;
    let bold = [Event::Start(Tag::Strong), Event::Text(member.to_owned().into()), Event::End(TagEnd::Strong)];
    Some((name.len(), vec![Event::Text("self.".into())].into_iter().chain(bold).collect()))
}

/// Returns the id of a method's section. Characters that would need escaping in a URL are escaped here.
pub(super) fn anchor(name: &str) -> String {
    let mut anchor = String::with_capacity(name.len() + 2);
    anchor.push_str("m-");
    for character in name.chars() {
        match is_word(character) || matches!(character, '.' | '-' | '/' | ':') {
            true => anchor.push(character),
            // writing to a String does not fail
            false => _ = write!(anchor, "_{:x}_", u32::from(character)),
        }
    }
    anchor
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rendered(text: &str) -> String {
        let known = |name: &str| ["add", "math.div", "get_it_all"].contains(&name).then(|| anchor(name));
        render(text, &known).into_string().trim_end().to_owned()
    }

    #[test]
    fn links_as_python_makes_them() {
        for (text, html) in [
            (
                "see http://a.example/b?c=d.",
                "<p>see <a href=\"http://a.example/b?c=d\">http://a.example/b?c=d</a>.</p>",
            ),
            ("ftp://a.example/x\"y", "<p><a href=\"ftp://a.example/x%22y\">ftp://a.example/x\"y</a></p>"),
            ("RFC 1952", "<p><a href=\"https://www.rfc-editor.org/rfc/rfc1952.txt\">RFC 1952</a></p>"),
            (
                "RFC-791, RFC0791",
                "<p><a href=\"https://www.rfc-editor.org/rfc/rfc791.txt\">RFC-791</a>, <a href=\"https://www.rfc-editor.org/rfc/rfc791.txt\">RFC0791</a></p>",
            ),
            ("PEP 8", "<p><a href=\"https://peps.python.org/pep-0008/\">PEP 8</a></p>"),
            ("PEP008", "<p><a href=\"https://peps.python.org/pep-0008/\">PEP008</a></p>"),
            ("pEp008 rFC1952 xRFC1 RFC12x", "<p>pEp008 rFC1952 xRFC1 RFC12x</p>"),
            (
                "add(2, 3) and math.div(1, 2)",
                "<p><a href=\"#m-add\">add</a>(2, 3) and <a href=\"#m-math.div\">math.div</a>(1, 2)</p>",
            ),
            ("add alone, xadd(1), sub(1)", "<p>add alone, xadd(1), sub(1)</p>"),
            ("self.add(1) self.speed", "<p><a href=\"#m-add\">self.add</a>(1) self.<strong>speed</strong></p>"),
            (
                "get_it_all(1), http://a.example/b_c_d",
                "<p><a href=\"#m-get_it_all\">get_it_all</a>(1), <a href=\"http://a.example/b_c_d\">http://a.example/b_c_d</a></p>",
            ),
            ("`add(1)` stays", "<p><code>add(1)</code> stays</p>"),
        ] {
            assert_eq!(rendered(text), html, "{text}");
        }
    }

    #[test]
    fn markup_in_text_is_shown() {
        for (text, html) in [
            ("a <script>alert(1)</script> b", "<p>a &lt;script&gt;alert(1)&lt;/script&gt; b</p>"),
            ("<b onclick=\"x\">", "&lt;b onclick=\"x\"&gt;"),
            ("[x](javascript:alert(1))", "<p><a href=\"\">x</a></p>"),
            ("[x](JavaScript:alert(1))", "<p><a href=\"\">x</a></p>"),
            ("[x](data:text/html,hi)", "<p><a href=\"\">x</a></p>"),
            ("[x](other.html?a:b)", "<p><a href=\"other.html?a:b\">x</a></p>"),
            ("![logo](http://a.example/track.gif)", "<p><em>logo</em></p>"),
            ("# Big", "<h4>Big</h4>"),
        ] {
            assert_eq!(rendered(text), html, "{text}");
        }
    }

    #[test]
    fn field_lists_of_restructured_text() {
        for (text, html) in [
            (
                "Adds.\n\n:param a: the *first*\n:param int b: the second\n:returns: the sum\n:raises Error: never",
                "<p>Adds.</p>\n<ul>\n<li><code>a</code>: the <em>first</em></li>\n<li><code>b</code>: the second</li>\n\
                 <li>Returns: the sum</li>\n<li>Raises <code>Error</code>: never</li>\n</ul>",
            ),
            (":rtype: int", "<ul>\n<li>Type of the result: int</li>\n</ul>"),
            ("```\n:param a: b\n```", "<pre><code>:param a: b\n</code></pre>"),
            ("    :param a: b", "<pre><code>:param a: b</code></pre>"),
            (":smile: stays", "<p>:smile: stays</p>"),
            ("a :param b: c", "<p>a :param b: c</p>"),
            ("::", "<p>::</p>"),
        ] {
            assert_eq!(rendered(text), html, "{text}");
        }
    }

    #[test]
    fn plain_has_the_words_alone() {
        assert_eq!(plain("Adds `a` to *all* of\n<b>them</b>."), "Adds a to all of <b>them</b>.");
    }

    #[test]
    fn anchors_are_one_word() {
        assert_eq!(anchor("math.div"), "m-math.div");
        assert_eq!(anchor("a b\"<é"), "m-a_20_b_22__3c_é");
    }
}
