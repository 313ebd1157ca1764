import AviaryCompute
import AviaryTestSupport
import Testing

@Suite struct ArenaTests {
  private typealias Request = Arena.Request

  /// Whatever is asked for: nothing that is needed at once overlaps, all is aligned and inside, and
  /// little more is taken than is needed at the fullest moment.
  @Test func randomRequests() throws {
    var generator = SplitMix64(seed: 1)
    for round in 0..<200 {
      let requests = (0..<Int.random(in: 1...60, using: &generator)).map { _ in
        let start = Int.random(in: 0..<30, using: &generator)
        return Request(
          byteCount: Int.random(in: 0...5_000, using: &generator),
          lifetime: start...start + Int.random(in: 0...8, using: &generator))
      }
      let arena = try Arena(requests)
      for (i, a) in requests.enumerated() {
        #expect(arena.offsets[i] % 64 == 0 && arena.offsets[i] + a.byteCount <= arena.byteCount)
        for (j, b) in requests.enumerated() where i < j && a.lifetime.overlaps(b.lifetime) {
          let first = arena.offsets[i]..<arena.offsets[i] + a.byteCount
          let second = arena.offsets[j]..<arena.offsets[j] + b.byteCount
          #expect(!first.overlaps(second), "round \(round), requests \(i) and \(j)")
        }
      }
      var fullest = 0
      for moment in 0..<40 {
        let needed = requests.filter { $0.lifetime.contains(moment) }
        fullest = max(fullest, needed.reduce(0) { $0 + ($1.byteCount + 63) / 64 * 64 })
      }
      #expect(arena.byteCount >= fullest && arena.byteCount <= fullest * 5 / 4)
    }
  }

  @Test func chainTakesTwoAtATime() throws {
    let requests = (0..<50).map { Request(byteCount: 1_000, lifetime: $0...$0 + 1) }
    #expect(try Arena(requests).byteCount == 2 * 1_024)
    #expect(try Arena([]).byteCount == 0)
  }

  @Test func overflow() {
    let half = Request(byteCount: .max / 2 + 1, lifetime: 0...1)
    #expect(throws: ComputeError.outOfMemory(bytes: .max)) { _ = try Arena([half, half]) }
    #expect(throws: ComputeError.outOfMemory(bytes: .max)) {
      _ = try Arena([Request(byteCount: .max, lifetime: 0...0)])
    }
  }
}
