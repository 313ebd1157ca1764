/// How a patch is turned, mirrored and coloured, input and target alike.
struct Augmentation: Hashable, Sendable {
  /// Whether left and right are exchanged.
  var isFlipped: Bool
  /// Quarter turns to the right, after that.
  var turns: Int
  /// Which of the picture's channels stands at each.
  var channels: [Int]
  /// Which channel a network on one channel of gray is shown of a colour picture.
  var plane: Int

  /// Draws one, all that the recipe allows equally likely.
  init(_ recipe: BatchRecipe, using generator: inout SeededGenerator) {
    // All are drawn always: what comes after them in the stream stays the same.
    let isFlipped = generator.truth()
    let turns = generator.integer(below: 4)
    let channels = generator.shuffled([0, 1, 2])
    plane = generator.integer(below: 3)
    self.isFlipped = recipe.flips && isFlipped
    self.turns = recipe.turns ? turns : 0
    self.channels = recipe.shuffledChannels ? channels : [0, 1, 2]
  }

  /// Where in a square patch, rows after one another, the pixel (row, column) of the augmented patch
  /// is taken from: `origin + row * rowStep + column * columnStep`. Right beyond the square's edges
  /// too, for a patch with so many pixels more around it.
  func layout(side: Int, margin: Int) -> (origin: Int, rowStep: Int, columnStep: Int) {
    // Coordinates (row, column) of the pixel that comes to (0, 0), and the ways from it.
    let last = side - 1
    var (row, column): (Int, Int)
    var down: (Int, Int)
    var across: (Int, Int)
    switch turns {
    case 0: ((row, column), down, across) = ((0, 0), (1, 0), (0, 1))
    // A turn to the right brings the left column to the top.
    case 1: ((row, column), down, across) = ((last, 0), (0, 1), (-1, 0))
    case 2: ((row, column), down, across) = ((last, last), (-1, 0), (0, -1))
    default: ((row, column), down, across) = ((0, last), (0, -1), (1, 0))
    }
    if isFlipped {
      column = last - column
      down.1 = -down.1
      across.1 = -across.1
    }
    let width = side + 2 * margin
    return (
      (row + margin) * width + column + margin, down.0 * width + down.1,
      across.0 * width + across.1
    )
  }
}
