import AviaryCheckpoint
import AviaryInterchange
import AviaryTestSupport
import FoundationEssentials
import Testing

/// ONNX files changed at random: each is read or refused, and nothing traps or hangs.
@Suite struct ONNXFuzzTests {
  @Test func changedFilesAreReadOrRefused() throws {
    // Seconds; more for a longer look.
    let environment = ProcessInfo.processInfo.environment
    let seconds = environment["AVIARY_FUZZ_SECONDS"].flatMap(Int.init) ?? 3
    let seed = environment["AVIARY_FUZZ_SEED"].flatMap(UInt64.init) ?? 1
    let seeds = try ONNXFixture.all().map { try bytes($0.path) }
    let folder = try TemporaryFolder()
    var random = SplitMix64(seed: seed)
    let clock = ContinuousClock()
    let end = clock.now.advanced(by: .seconds(seconds))
    var (read, refused) = (0, 0)
    while clock.now < end {
      guard var content = seeds.randomElement(using: &random) else { return }
      for _ in 0..<Int.random(in: 1...6, using: &random) { change(&content, seeds, &random) }
      let path = try folder.file("x.onnx", content)
      do {
        let start = clock.now
        let file = try WeightsFile.read(path)
        let imported = try ONNXNetwork.graph(file)
        for position in imported.weights.indices { _ = try imported.weights.tensor(at: position) }
        read += 1
        #expect(start.duration(to: clock.now) < .seconds(5))
      } catch is CheckpointError {
        refused += 1
      } catch is InterchangeError {
        refused += 1
      }
    }
    #expect(read > 0 && refused > 0, "\(read) read, \(refused) refused")
    print("ONNX fuzz: \(read) read, \(refused) refused")
  }

  private func change(_ content: inout [UInt8], _ seeds: [[UInt8]], _ random: inout SplitMix64) {
    guard content.count > 8 else { return }
    // The first bytes are what the format is known by.
    let place = Int.random(in: 3..<content.count, using: &random)
    switch Int.random(in: 0..<8, using: &random) {
    case 0: content[place] = UInt8.random(in: .min ... .max, using: &random)
    case 1: content[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
    case 2: content.removeLast(content.count - place)
    case 3: content[place] = [0, 1, 0x7F, 0x80, 0xFF].randomElement(using: &random) ?? 0
    case 4:
      // A number far beyond.
      let huge: [UInt8] = [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F]
      content.insert(contentsOf: huge.suffix(Int.random(in: 1...9, using: &random)), at: place)
    case 5:
      let end = min(place + Int.random(in: 1...16, using: &random), content.count)
      content.removeSubrange(place..<end)
    case 6:
      let other = seeds.randomElement(using: &random) ?? []
      guard other.count > 20 else { return }
      let start = Int.random(in: 0..<other.count - 16, using: &random)
      content.insert(contentsOf: other[start..<start + 16], at: place)
    default:
      // Small numbers beside one another are shapes, axes, sizes.
      content[place] = UInt8.random(in: 0...9, using: &random)
    }
  }
}
