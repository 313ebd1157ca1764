@testable import AviaryGraph
import AviaryTestSupport
import FoundationEssentials
import Testing

/// Graphs, images, plugins and configurations changed at random: each is read or refused, and
/// nothing traps. What is read keeps its promises.
@Suite struct FuzzTests {
  /// Numbers at the edges of what may be calculated with.
  private static let numbers: [JSON] = [
    0, 1, -1, 2, 3, 7, 4_096, 4_097, 1_048_576, 1_048_577, 2_147_483_647, 2_147_483_648,
    .int(.max), .int(.min), 0.5, -0.5, 1e300, -1e300, 1e-300,
  ]

  private static func seed(_ file: String) throws -> JSON {
    let url = SharedFolder.repository.appending(path: "Tests/Fixtures/graphs/\(file)")
    return try JSON(parsing: String(contentsOf: url, encoding: .utf8))
  }

  /// Changes one thing somewhere in a value.
  private static func mutated(_ json: JSON, _ random: inout SplitMix64) -> JSON {
    switch json {
    case .array(var elements) where !elements.isEmpty && Int.random(in: 0..<12, using: &random) > 0:
      let position = Int.random(in: 0..<elements.count, using: &random)
      elements[position] = mutated(elements[position], &random)
      return .array(elements)
    case .object(var members) where !members.isEmpty && Int.random(in: 0..<12, using: &random) > 0:
      let name = members.keys.sorted()[Int.random(in: 0..<members.count, using: &random)]
      members[name] = mutated(members[name] ?? .null, &random)
      return .object(members)
    case .array(var elements):
      // Elements lost, doubled, exchanged.
      guard let element = elements.randomElement(using: &random) else { return [1] }
      switch Int.random(in: 0..<4, using: &random) {
      case 0: elements.append(element)
      case 1: elements.removeLast()
      case 2: elements.shuffle(using: &random)
      default: return numbers.randomElement(using: &random) ?? .null
      }
      return .array(elements)
    case .object(var members):
      guard let name = members.keys.sorted().randomElement(using: &random) else { return ["x": 1] }
      switch Int.random(in: 0..<3, using: &random) {
      case 0: members[name] = nil
      case 1: members[String(name.reversed())] = members[name]
      default: return .null
      }
      return .object(members)
    default:
      switch Int.random(in: 0..<8, using: &random) {
      case 0: return .null
      case 1: return ["image", 2]
      case 2: return .string(Op.names.randomElement(using: &random) ?? "")
      case 3: return "image"
      case 4: return .bool(Bool.random(using: &random))
      default: return numbers.randomElement(using: &random) ?? .null
      }
    }
  }

  /// Changes one integer, most often to one near by, so that many graphs are still accepted.
  private static func renumbered(_ json: JSON, _ random: inout SplitMix64) -> JSON {
    var left = Int.random(in: 0..<max(count(json), 1), using: &random)
    let number =
      Int.random(in: 0..<4, using: &random) == 0
      ? numbers.randomElement(using: &random) ?? .null : .int(Int.random(in: 1...9, using: &random))
    func change(_ json: JSON) -> JSON {
      switch json {
      case .int:
        left -= 1
        return left == -1 ? number : json
      case .array(let elements): return .array(elements.map(change))
      case .object(let members):
        return .object(
          Dictionary(
            uniqueKeysWithValues: members.sorted { $0.key < $1.key }.map { ($0, change($1)) }))
      default: return json
      }
    }
    return change(json)
  }

  /// The number of integers in a value.
  private static func count(_ json: JSON) -> Int {
    switch json {
    case .int: 1
    case .array(let elements): elements.reduce(0) { $0 + count($1) }
    case .object(let members): members.values.reduce(0) { $0 + count($1) }
    default: 0
    }
  }

  /// Everything that is derived from a graph that was accepted.
  private static func derive(_ graph: Graph) throws {
    #expect(try Graph(json: JSON(parsing: graph.json.text)) == graph)
    _ = graph.parameterCount
    for output in graph.outputs.indices { _ = graph.sizeRule(output: output) }
    for (height, width) in [(1, 1), (13, 8), (512, 480), (GraphLimits.dimension, 1)] {
      _ = try? graph.shapes(height: height, width: width)
      _ = try? graph.tiling(height: height, width: width)
      _ = try? graph.multiplyAdds(height: height, width: width)
      _ = try? graph.resolvingPadding(height: height, width: width)
    }
  }

  @Test(arguments: 0..<8) func graphs(_ part: Int) throws {
    let original = try FuzzTests.seed("version-1.json")
    let small = try Graph(channels: 3) { x in
      let y = x.convolution("a", 8, kernel: 3, stride: 2, padding: .same).prelu("p")
        .transposedConvolution("b", 12, kernel: 4, stride: 2).pixelShuffle(2)
      return [y + x.resize(.cubic(a: -0.5), by: 2), x.maxPool(2)]
    }.json
    // One after the other, so that most changes of a number give a network too.
    let chain = try Graph(channels: 3) { x in
      let y = x.applying(.pad(Pad(2, .reflect))).convolution(
        "a", 8, kernel: 3, stride: 2, dilation: 2
      )
      .applying(.resize(Resize(.lanczos(lobes: 3), to: .factor(Ratio(3, 2)), antialias: true)))
      .maxPool(3, stride: 2, padding: .same).applying(.slice(ChannelSlice(start: 1, count: 4)))
      .applying(.averagePool(AveragePool(Pool(kernel: 2, stride: 1), countsPadding: false)))
      return [
        y.transposedConvolution("b", 8, kernel: 5, stride: 3).leakyRelu(0.1)
          .applying(.crop(Crop(PaddingAmounts(1, 2, 3, 4)))).applying(
            .softmax(Softmax(dimension: 1)))
      ]
    }.json
    var random = SplitMix64(seed: UInt64(part))
    var accepted = 0
    for round in 0..<400 {
      var json = round % 4 == 0 ? original : round % 4 == 1 ? small : chain
      for _ in 0..<Int.random(in: 1...2, using: &random) {
        json =
          Bool.random(using: &random)
          ? FuzzTests.mutated(json, &random) : FuzzTests.renumbered(json, &random)
      }
      do {
        let graph = try Graph(json: json)
        accepted += 1
        try FuzzTests.derive(graph)
      } catch let error as GraphError {
        #expect(!"\(error)".isEmpty)
      }
    }
    // Otherwise hardly more than refusals were tried.
    #expect(accepted > 60)
  }

  /// The text itself changed, byte by byte.
  @Test func texts() throws {
    let text = Array(try FuzzTests.seed("version-1.json").text.utf8)
    var random = SplitMix64(seed: 99)
    for _ in 0..<600 {
      var bytes = text
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        let position = Int.random(in: 0..<bytes.count, using: &random)
        switch Int.random(in: 0..<4, using: &random) {
        case 0: bytes[position] = UInt8.random(in: 0...255, using: &random)
        case 1: bytes.remove(at: position)
        case 2: bytes.insert(UInt8.random(in: 32...126, using: &random), at: position)
        default: bytes.removeSubrange(position..<min(position + 40, bytes.count))
        }
      }
      let damaged = String(decoding: bytes, as: UTF8.self)
      do { try FuzzTests.derive(Graph(json: JSON(parsing: damaged))) } catch is GraphError {}
    }
  }

  @Test func picturesAndPlugins() throws {
    let picture = ImageSpec(
      .rgb, range: 0...255, mean: [1, 2, 3], deviation: [1, 1, 1], output: .residual,
      enlargeFirst: .bicubic, scales: [2, 3, 4]
    ).json
    let plugin: JSON = [
      "aviary_plugin": 1, "info": ["name": "tiny", "kind": "restoration", "summary": "x"],
      "picture": picture,
      "variants": ["a": try Graph(channels: 3) { [$0.pixelShuffle(1)] }.json],
    ]
    let list = PluginRequest.list.answer([AnyArchitecture(Toy.self)])
    let network = try PluginRequest.build("toy", configuration: Toy.presets[0].value.json)
      .answer([AnyArchitecture(Toy.self)])
    var random = SplitMix64(seed: 7)
    for _ in 0..<600 {
      _ = try? ImageSpec(json: FuzzTests.mutated(picture, &random))
      if let architecture = try? Plugin.architecture(
        path: "p", declared: FuzzTests.mutated(plugin, &random))
      {
        _ = try? architecture.network().label
      }
      let list = FuzzTests.mutated(list, &random).text
      let network = FuzzTests.mutated(network, &random).text
      let architectures = try? Plugin.architectures(path: "p") { request in
        request.contains(#""list""#) ? list : network
      }
      for architecture in architectures ?? [] {
        _ = try? architecture.network().label
        _ = architecture.publishedNames.map { $0.canonical($0.external("head.weight")) }
      }
    }
  }

  @Test func configurations() throws {
    let toy = AnyArchitecture(Toy.self)
    let original = try toy.network().configuration
    var random = SplitMix64(seed: 8)
    var accepted = 0
    for _ in 0..<600 {
      let json = FuzzTests.mutated(original, &random)
      guard let network = try? toy.network(json) else { continue }
      accepted += 1
      #expect(try toy.network(network.configuration) == network)
    }
    #expect(accepted > 20)
  }
}

extension Encodable {
  /// The value as JSON; null where it has none.
  fileprivate var json: JSON { (try? JSON(encoding: self)) ?? .null }
}
