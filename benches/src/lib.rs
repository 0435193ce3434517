//! The common parts of the benches: documents, a clock that takes turns, and a count of the heap.
//!
//! A figure is a ratio of two things measured in turns in one run: the machine's moods then hit both.

pub mod cgi;
pub mod fastcgi;

use std::fmt::Write;
use std::hint::black_box;
use std::time::{Duration, Instant};

use rpcgi::{DateTime, Method};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A sequence of numbers that looks random and is the same in every run.
pub struct Numbers(u64);

impl Numbers {
    /// Returns the sequence from its start.
    pub fn new() -> Numbers {
        Numbers(0x2545_F491_4F6C_DD1D)
    }

    /// Returns the next number below `bound`.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

impl Default for Numbers {
    fn default() -> Numbers {
        Numbers::new()
    }
}

/// Returns a methodCall with one param.
pub fn call(value: &str) -> String {
    format!(
        "<?xml version=\"1.0\"?>\n<methodCall><methodName>take</methodName><params><param><value>{value}</value></param>\
         </params></methodCall>\n"
    )
}

/// Returns an array of `count` ints of one to seven digits.
pub fn ints(count: usize) -> String {
    let mut numbers = Numbers::new();
    let mut value = String::from("<array><data>");
    for _ in 0..count {
        let digits = 10_u64.pow(1 + numbers.below(7) as u32);
        write!(value, "<value><int>{}</int></value>", numbers.below(digits)).expect("a String takes it");
    }
    value + "</data></array>"
}

/// Something for sale.
#[derive(Serialize, Deserialize, JsonSchema)]
#[allow(missing_docs)]
pub struct Article {
    pub id: i32,
    pub name: String,
    pub price: f64,
    pub sold: bool,
    pub since: DateTime,
}

/// Returns methods that have all that a method's section of the page shows.
pub fn described(count: usize) -> Vec<Method> {
    let method = |number: usize| {
        let about = |article: Article, count: Option<i32>| (article, count);
        Method::new(format!("group{}.method{number}", number % 10), about)
            .help(format!("Does what number {number} is for.\n\nSee `method1`, *or* a list:\n\n* one\n* two"))
            .params(["article", "count"])
            .fault(4, "there is *no* such article")
    };
    (0..count).map(method).collect()
}

/// Returns an array of `count` structs with five members: [`Article`]s.
pub fn structs(count: usize) -> String {
    let mut numbers = Numbers::new();
    let mut value = String::from("<array><data>");
    for id in 0..count {
        let (price, sold, day) = (numbers.below(1_000_000), numbers.below(2), 1 + numbers.below(28));
        write!(
            value,
            "<value><struct><member><name>id</name><value><int>{id}</int></value></member>\
             <member><name>name</name><value><string>article number {price}</string></value></member>\
             <member><name>price</name><value><double>{}.{:02}</double></value></member>\
             <member><name>sold</name><value><boolean>{sold}</boolean></value></member>\
             <member><name>since</name><value><dateTime.iso8601>202601{day:02}T12:30:00</dateTime.iso8601></value></member>\
             </struct></value>",
            price / 100,
            price % 100,
        )
        .expect("a String takes it");
    }
    value + "</data></array>"
}

/// Returns a megabyte of text in which every `every`th character is a reference.
pub fn text(every: usize) -> String {
    let mut value = String::from("<string>");
    let mut count = 0;
    while value.len() < 1 << 20 {
        count += 1;
        value.push_str(if count % every == 0 { "&amp;" } else { "x" });
    }
    value + "</string>"
}

/// Returns a megabyte of base64 in lines of 76.
pub fn base64() -> String {
    let mut numbers = Numbers::new();
    let mut value = String::from("<base64>\n");
    while value.len() < 1 << 20 {
        for _ in 0..76 {
            value.push(char::from(b'A' + numbers.below(26) as u8));
        }
        value.push('\n');
    }
    value + "</base64>"
}

/// A function to time, with its name.
pub struct Contender<'a> {
    name: &'a str,
    run: Box<dyn FnMut() + 'a>,
    times: Vec<f64>,
}

impl<'a> Contender<'a> {
    /// Creates a contender; what `run` returns is not optimised away.
    pub fn new<T>(name: &'a str, mut run: impl FnMut() -> T + 'a) -> Contender<'a> {
        let run = Box::new(move || {
            black_box(run());
        });
        Contender { name, run, times: Vec::new() }
    }

    /// Runs it as often as fits into `slice`, and returns the seconds for one run.
    fn time(&mut self, slice: Duration) -> f64 {
        let started = Instant::now();
        let mut count = 0;
        while count == 0 || started.elapsed() < slice {
            (self.run)();
            count += 1;
        }
        started.elapsed().as_secs_f64() / f64::from(count)
    }
}

/// Times contenders in turns, and prints the median of each and of its ratios to the first, turn by turn.
pub fn compare(title: &str, contenders: Vec<Contender<'_>>) {
    const TURNS: usize = 31;
    const SLICE: Duration = Duration::from_millis(20);

    let mut contenders = contenders;
    for turn in 0..=TURNS {
        for contender in &mut contenders {
            let time = contender.time(SLICE);
            // the first turn warms up
            if turn > 0 {
                contender.times.push(time);
            }
        }
    }
    println!("{title}");
    let base = contenders[0].times.clone();
    for Contender { name, times, .. } in &contenders {
        let ratios = times.iter().zip(&base).map(|(time, base)| time / base).collect();
        println!("  {name:<40} {:>10.1} us   ratio {:.2}", median(times.clone()) * 1e6, median(ratios));
    }
}

/// Returns the median.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
