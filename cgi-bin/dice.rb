# Dice: each public method of this file is a method of the service.

# What nobody can throw.
class ImpossibleDice < StandardError
  def code = 1
end

# Throws dice.
#
# @param count [Integer] how many
# @param sides [Integer] of each
# @return [Array<Integer>] what came up
# @raise [ImpossibleDice] expected 1 to 100 dice of at least 2 sides
def roll(count = 1, sides: 6)
  unless count.between?(1, 100) && sides >= 2
    raise ImpossibleDice, "expected 1 to 100 dice of at least 2 sides, found #{count} of #{sides}"
  end

  Array.new(count) { rand(1..sides) }
end

# Counts how often each number came up.
#
# @param throws [Array<Integer>] what came up
# @return [Hash{String => Integer}]
def tally(throws) = throws.tally.transform_keys(&:to_s)
