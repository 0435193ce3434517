# The same functions in every language.

require "date"

class NoBike < StandardError
  def code = 42
end

# Adds two numbers.
#
# The second is five if it is left out.
#
# @example Two numbers
#   add(2, 3) #=> 5
# @param a [Integer] the first number
# @param b [Integer] the second number
# @return [Integer] the sum
def add(a, b = 5) = a + b

# Halves a number.
# @param x [Float]
# @return [Float]
def half(x) = x / 2

# Greets somebody.
# @param name [String]
# @return [String]
def greet(name)
  "Hello, #{name}!"
end

# Tests whether a number is even.
# @param n [Integer]
# @return [Boolean]
def is_even(n) = n.even?

# Does nothing.
def nothing
end

# Returns the same time one day later.
# @param day [Time]
# @return [Time]
def next_day(day) = day + 86_400

# Returns octets in reverse.
def turn(octets)
  octets.bytes.reverse.pack("C*")
end

# Lists squares.
# @param n [Integer]
# @return [Array<Integer>]
def squares(n) = (1..n).map { |i| i * i }

# Adds many numbers.
# @param numbers [Array<Integer>]
# @return [Integer]
def total(numbers) = numbers.sum

# Makes a point.
# @param x [Integer]
# @param y [Integer]
def point(x, y) = { x: x, y: y }

# Swaps the sides of a point.
# @param point [Hash{String => Integer}]
def swap(point) = { "x" => point["y"], "y" => point["x"] }

# Returns how long each word is.
# @param words [Array<String>]
# @return [Hash{String => Integer}]
def lengths(words) = words.to_h { |word| [word, word.length] }

# Returns what it gets.
def same(value) = value

# Fails for a reason that callers know.
# @raise [NoBike] no bikes left
def fail
  raise NoBike, "no bikes left"
end

# Fails for a reason of its own.
def crash
  raise "secret"
end

# Prints something.
# @return [Integer]
def say
  puts "something to log"
  1
end

# Returns a number beyond the doubles.
# @return [Integer]
def big = 9007199254740993

# Counts characters.
# @param text [String]
def count(text) = text.length

# Returns what it was called with.
def three(a: 1, b: 2, c: 3) = [a, b, c]

# Greets the caller.
# @param greeting [String]
def who(greeting, request) = "#{greeting}, #{request["remote_addr"]}"

def _hidden = 1
