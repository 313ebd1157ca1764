@testable import AviaryImage
import Testing

/// The eight positions of an image, and borders that go on.
@Suite struct ImageTurnTests {
  private let image = { () throws in
    try Fixture.noise(width: 5, height: 3, PixelFormat(.rgb, hasAlpha: true))
  }

  @Test func allEightDifferAndAreUndone() throws {
    let image = try image()
    let turned = try ImageTurn.all.map { try image.turned($0) }
    #expect(Set(turned).count == 8)
    for (turn, result) in zip(ImageTurn.all, turned) {
      #expect((result.width == 3) == turn.isTransposed)
      #expect(try result.turned(turn.inverse) == image)
    }
  }

  @Test func pixelsGoWhereTheyShould() throws {
    let image = try image()
    let mirrored = try image.turned(ImageTurn.all[1])
    let transposed = try image.turned(ImageTurn.all[4])
    for channel in 0..<4 {
      for row in 0..<3 {
        for column in 0..<5 {
          #expect(mirrored[channel, row, 4 - column] == image[channel, row, column])
          #expect(transposed[channel, column, row] == image[channel, row, column])
        }
      }
    }
  }

  @Test func wrappingGoesOnAtTheOppositeBorder() throws {
    let image = try image()
    let wrapped = try image.wrapped(7)
    #expect(wrapped.width == 19 && wrapped.height == 17)
    for row in 0..<17 {
      for column in 0..<19 {
        // 7 before 0 is 7 rows of 3, and 8 columns short of three times 5.
        #expect(wrapped[2, row, column] == image[2, (row + 2) % 3, (column + 3) % 5])
      }
    }
  }
}
