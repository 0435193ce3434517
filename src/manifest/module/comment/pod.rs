//! Perl's own documentation, and the comments where there is none.

use super::Told;
use super::tags;

/// Reads what a source says of a sub: the part of its POD under a heading or item of that name, or else a comment.
pub(super) fn read(source: &str, name: &str, comment: &str) -> Told {
    let help = section(source, name).map_or_else(|| tags::unmarked(comment), |paragraphs| markdown(&paragraphs));
    Told { help: help.trim().to_owned(), ..Told::default() }
}

/// Returns the paragraphs under the heading or item of a name.
fn section<'s>(source: &'s str, name: &str) -> Option<Vec<&'s str>> {
    let mut paragraphs = source.split("\n\n").map(|paragraph| paragraph.trim_matches('\n'));
    paragraphs.find(|paragraph| is_heading_of(paragraph, name))?;
    let is_inside = |paragraph: &&str| {
        let ends = ["=head", "=item", "=back", "=cut", "=over"];
        !ends.iter().any(|end| paragraph.starts_with(end))
    };
    Some(paragraphs.take_while(is_inside).filter(|paragraph| !paragraph.is_empty()).collect())
}

/// Tests for `=head2 name(..)`, `=item C<< name >>` and the like.
fn is_heading_of(paragraph: &str, name: &str) -> bool {
    // code may stand right before it
    let Some(line) = paragraph.lines().last() else { return false };
    let Some((command, title)) = line.split_once(char::is_whitespace) else { return false };
    if !(command.starts_with("=head") || command == "=item") {
        return false;
    }
    let title = formatted(title);
    let title = title.trim().trim_matches(['`', '*', ' ']);
    let title = title.rsplit("->").next().unwrap_or(title).trim_start_matches('&');
    let end = title.find(|letter: char| !letter.is_alphanumeric() && letter != '_').unwrap_or(title.len());
    &title[..end] == name
}

/// Makes Markdown of paragraphs; those that are indented are code.
fn markdown(paragraphs: &[&str]) -> String {
    let paragraph = |text: &&str| match text.starts_with([' ', '\t']) {
        true => text.lines().map(|line| format!("    {line}")).collect::<Vec<_>>().join("\n"),
        false => formatted(text),
    };
    paragraphs.iter().map(paragraph).collect::<Vec<_>>().join("\n\n")
}

/// Makes Markdown of formatting codes: `C<code>`, `B<bold>`, `I<italic>`, `L<text|target>`.
fn formatted(text: &str) -> String {
    let mut marked = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('<') {
        let code = rest[..at].chars().next_back().filter(char::is_ascii_uppercase);
        let Some(code) = code else {
            marked.push_str(&rest[..=at]);
            rest = &rest[at + 1..];
            continue;
        };
        marked.push_str(&rest[..at - 1]);
        let angles = rest[at..].bytes().take_while(|octet| *octet == b'<').count();
        let inner = &rest[at + angles..];
        let Some(end) = end_of_code(inner, angles) else {
            marked.push_str(inner);
            return marked;
        };
        let content = inner[..end].trim();
        match code {
            'C' => marked.push_str(&format!("`{content}`")),
            'B' => marked.push_str(&format!("**{}**", formatted(content))),
            'I' | 'F' => marked.push_str(&format!("*{content}*")),
            'L' => marked.push_str(content.split('|').next().unwrap_or(content)),
            'E' => marked.push_str(match content {
                "lt" => "<",
                "gt" => ">",
                "verbar" => "|",
                "sol" => "/",
                other => other,
            }),
            'X' | 'Z' => {}
            _ => marked.push_str(content),
        }
        rest = &inner[end + angles..];
    }
    marked.push_str(rest);
    marked
}

/// Returns where a code ends: at as many angles as it began with. Within one angle there may be other codes.
fn end_of_code(text: &str, angles: usize) -> Option<usize> {
    if angles > 1 {
        return text.find(&">".repeat(angles));
    }
    let mut depth = 0_usize;
    text.char_indices().find_map(|(at, letter)| {
        let opens = letter == '<' && text[..at].ends_with(|code: char| code.is_ascii_uppercase());
        depth += usize::from(opens);
        match letter {
            '>' if depth == 0 => Some(at),
            '>' => {
                depth -= 1;
                None
            }
            _ => None,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_and_items() {
        for heading in
            ["=head2 add", "=item add(a, b)", "=head3 C<add>", "=item C<< add($a, $b) >>", "=item B<$sums-E<gt>add>"]
        {
            let source = format!(
                "package Sums;\n\n{heading}\n\nAdds B<two> numbers.\n\n  add(1, 2)\n\n=cut\n\nsub add {{ 1 }}\n"
            );
            assert_eq!(read(&source, "add", "").help, "Adds **two** numbers.\n\n      add(1, 2)", "{heading}");
        }
        assert_eq!(read("sub add { 1 }", "add", "# Adds.\n# Well.").help, "Adds.\nWell.");
        for odd in ["C<", "C<<x>", "<", "a < b", "É<x>"] {
            formatted(odd);
        }
    }
}
