/// How a patch is flipped, rotated and recoloured, input and target alike.
struct Augmentation: Hashable, Sendable {
  /// Whether left and right are swapped.
  var isFlipped: Bool
  /// Clockwise quarter turns, after the flip.
  var turns: Int
  /// The source channel of each channel.
  var channels: [Int]
  /// For a network on one gray channel, the channel of a colour image that it is given.
  var plane: Int

  /// Draws one; all that the recipe allows are equally likely.
  init(_ recipe: BatchRecipe, using generator: inout SeededGenerator) {
    // Always draw all of them, so that what follows in the stream stays the same.
    let isFlipped = generator.truth()
    let turns = generator.integer(below: 4)
    let channels = generator.shuffled([0, 1, 2])
    plane = generator.integer(below: 3)
    self.isFlipped = recipe.horizontalFlip && isFlipped
    self.turns = recipe.rot90 ? turns : 0
    self.channels = recipe.channelShuffle ? channels : [0, 1, 2]
  }

  /// Where in a square patch, in row-major order, the pixel (row, column) of the augmented patch
  /// comes from: `origin + row * rowStep + column * columnStep`. This also holds beyond the
  /// square's edges, for a patch with `margin` more pixels on every side.
  func layout(side: Int, margin: Int) -> (origin: Int, rowStep: Int, columnStep: Int) {
    // The coordinates (row, column) of the pixel that moves to (0, 0), and the steps from it.
    let last = side - 1
    var (row, column): (Int, Int)
    var down: (Int, Int)
    var across: (Int, Int)
    switch turns {
    case 0: ((row, column), down, across) = ((0, 0), (1, 0), (0, 1))
    // A clockwise turn brings the left column to the top.
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
