import AviaryCheckpoint
import Aviary
import AviaryGraph
import AviaryTestSupport
import Foundation
import Glibc
import Testing

/// What holds of every architecture in the registry: a new one is tested without a new test.
@Suite struct RegistryPropertyTests {
  /// The architectures by name, for messages.
  private static let names = Registry.builtin.architectures.map(\.info.name)

  /// Every configuration that is tried: the presets, and those of the fixtures.
  private func configurations(of architecture: AnyArchitecture) throws -> [JSON] {
    let fixtures = try ArchitectureFixture.names().filter {
      $0.prefix { $0 != "." } == architecture.info.name
    }
    return try architecture.presets.map(\.configuration)
      + fixtures.map { try ArchitectureFixture($0).configuration }
  }

  /// Names stand in checkpoints and scripts: none of these may go.
  @Test func registryHasWhatItHad() {
    #expect(
      Set(RegistryPropertyTests.names).isSuperset(of: [
        "bicubic", "bilinear", "espcn", "fsrcnn", "fusion-cae", "lanczos", "nearest",
        "patch-discriminator", "plain-cae", "residual-cae", "srcnn", "vdsr", "vgg",
      ]))
  }

  /// Architectures of attention that run whole. Those of channels to channels, and RGT's to a summary,
  /// look at every pixel (ditn, restormer, retinexformer, rgt); those that move windows by a roll would
  /// have exact tiles, if rolls were computed for a part of an image (craft, dctlsa, swin2sr).
  private static let looksFar: Set = [
    "craft", "dctlsa", "ditn", "grl", "restormer", "retinexformer", "rgt", "swin2sr",
  ]

  /// Every architecture in Plugins/ is linked in and registered, and nothing else is.
  @Test func registryHasEveryPlugin() throws {
    let plugins = SharedFolder.repository.appending(path: "Plugins")
    var names: [String] = []
    for folder in try FileManager.default.contentsOfDirectory(atPath: plugins.path) {
      let folder = plugins.appending(path: folder)
      for file in try FileManager.default.contentsOfDirectory(atPath: folder.path)
      where file.hasSuffix(".swift") {
        let text = try String(contentsOf: folder.appending(path: file), encoding: .utf8)
        names += text.matches(of: /ArchitectureInfo\(\s*"([a-z0-9+-]+)"/).map { String($0.1) }
      }
    }
    #expect(names.sorted() == RegistryPropertyTests.names.sorted())
  }

  @Test(arguments: names) func isDescribed(_ name: String) throws {
    let architecture = try Registry.builtin[name]
    let info = architecture.info
    #expect(info.name.allSatisfy { $0.isLowercase || $0.isNumber || $0 == "-" || $0 == "+" })
    #expect(!info.summary.isEmpty && !info.summary.contains("\n") && info.summary.count <= 80)
    #expect(info.paper.isEmpty || info.paper.hasPrefix("https://"))
    #expect(info.licence == "Apache-2.0")
    #expect(Set(architecture.presets.map(\.name)).count == architecture.presets.count)
    #expect(
      Set(architecture.publishedNames.map(\.source)).count == architecture.publishedNames.count)
  }

  @Test(arguments: names) func networkIsSound(_ name: String) throws {
    let architecture = try Registry.builtin[name]
    for configuration in try configurations(of: architecture) {
      let network = try architecture.network(configuration)
      let graph = network.graph
      #expect(try Graph(json: JSON(parsing: graph.json.text)) == graph)
      #expect(try ImageSpec(json: JSON(parsing: network.picture.json.text)) == network.picture)
      #expect(try architecture.network(network.configuration) == network)
      #expect(network.picture.colour.channels == graph.inputs[0].channels)
      #expect(graph.inputs.count == 1)
      // Names that are no names of a state dict, or of a data set, help nobody.
      for parameter in graph.parameters {
        #expect(!parameter.name.contains("/") && !parameter.name.split(separator: ".").isEmpty)
      }
      guard architecture.info.kind == .restoration else { continue }
      #expect(graph.outputs.map(\.name) == ["output"])
      // An image in, an image of as many channels out, as much larger as the configuration says.
      let rule = graph.sizeRule()
      #expect(rule.scale == Ratio(network.configuration["scale"]?.int ?? 1))
      let side = (200 / rule.exactMultiple + 1) * rule.exactMultiple
      let output = try #require(try graph.shapes(height: side, width: side).last)
      #expect(output[1] == graph.inputs[0].channels)
      #expect(output[2] == side * (rule.scale?.numerator ?? 0) - rule.shrinkage)
      guard case .whole(let reason) = try graph.tiling(height: side, width: side) else { continue }
      // Means over the whole image leave no choice, nor do windows that depend on its size, places that
      // it tells itself, or enlarging to another value's size or by its corners; nothing else does.
      let means = [
        "globalAveragePool", "groupNormalization", "instanceNormalization", "adaptiveMaxPool",
        "gridSample", "gatherElements",
      ]
      let isGlobal = graph.nodes.contains { node in
        if case .resize(let resize) = node.op {
          return node.inputs.count == 2 || resize.coordinates == .alignCorners
        }
        return means.contains(node.op.name)
      }
      #expect(
        isGlobal || RegistryPropertyTests.looksFar.contains(name),
        "\(network.label) runs whole only: \(reason)")
    }
  }

  /// Detection gives back every configuration, up to what it says that it assumes.
  @Test(arguments: names) func weightsAreRecognised(_ name: String) throws {
    let architecture = try Registry.builtin[name]
    for configuration in try configurations(of: architecture) {
      let network = try architecture.network(configuration)
      let index = WeightIndex(network.graph)
      guard !index.shapes.isEmpty else { continue }
      let fit = try Registry.builtin.detect(index)
      #expect(fit.network.architecture == name)
      #expect(fit.names == nil)
      let members = try #require(network.configuration.object)
      for (member, value) in members where !fit.assumed.contains(member) {
        #expect(fit.network.configuration[member] == value, "\(network.label): \(member)")
      }
      // What is assumed must be stated to be known, and then the network is the very same.
      let stated = members.filter { fit.assumed.contains($0.key) }
      let known = try Registry.builtin.detect(index, overrides: .object(stated))
      #expect(known.network == network)
      #expect(known.assumed.allSatisfy { $0.hasPrefix("picture.") })
      #expect(fit.assumed.allSatisfy { members[$0] != nil || $0.hasPrefix("picture.") })
      let named = try Registry.builtin.detect(index, as: name, overrides: .object(stated))
      #expect(named.network == network)
    }
  }

  /// Every map of names is undone by its own inverse, over the parameters of every configuration,
  /// and what it names is recognised.
  @Test(arguments: names) func publishedNamesAreBijections(_ name: String) throws {
    let architecture = try Registry.builtin[name]
    for map in architecture.publishedNames {
      var changed = 0
      for configuration in try configurations(of: architecture) {
        let network = try architecture.network(configuration)
        let parameters = network.graph.parameters.map(\.name)
        let external = parameters.map(map.external)
        #expect(external.map(map.canonical) == parameters, "\(map.source)")
        #expect(Set(external).count == external.count, "\(map.source)")
        changed += external == parameters ? 0 : 1
        guard external != parameters else { continue }
        let index = WeightIndex(
          Dictionary(uniqueKeysWithValues: zip(external, network.graph.parameters.map(\.shape))))
        let fit = try Registry.builtin.detect(index)
        #expect(fit.network.architecture == name)
        #expect(external.map(fit.canonical) == parameters, "\(map.source)")
      }
      #expect(changed > 0, "\(map.source) renames nothing")
    }
  }

  /// One tensor less, one more, one of another shape: refused, with the tensor's name.
  @Test(arguments: names) func weightsThatDoNotFit(_ name: String) throws {
    let network = try Registry.builtin[name].network()
    let index = WeightIndex(network.graph)
    let parameters = network.graph.parameters.map(\.name)
    // Without its last bias waifu2x's network is another of its own, as Chainer has it.
    guard
      let last = name == "waifu2x"
        ? parameters.last(where: { $0.hasSuffix("weight") }) : parameters.last
    else { return }
    func problem(_ shapes: [String: [Int]]) -> String {
      do {
        return try Registry.builtin.detect(WeightIndex(shapes), as: name).network.label
      } catch {
        return "\(error)"
      }
    }
    var shapes = index.shapes
    shapes[last] = nil
    let missing = problem(shapes)
    #expect(
      missing.hasPrefix("no architecture has exactly these \(shapes.count) tensors; nearest: "))
    #expect(missing.contains("missing"))
    shapes = index.shapes
    shapes["optimizer.step"] = [1]
    #expect(problem(shapes).contains("(unexpected optimizer.step)"))
    shapes = index.shapes
    shapes[last] = [7, 7, 7]
    #expect(problem(shapes).contains("found [7, 7, 7]"))
  }

  /// The whole registry crosses the border that plugins' libraries cross.
  @Test func crossesTheBorder() throws {
    let loaded = try Plugin.architectures(path: "this program") { request in
      guard let answer = unsafe pluginEntryPoint(request) else { return "" }
      defer { unsafe free(answer) }
      return unsafe String(cString: answer)
    }
    #expect(loaded.map(\.info) == Registry.builtin.architectures.map(\.info))
    for (loaded, own) in zip(loaded, Registry.builtin.architectures) {
      #expect(loaded.presets == own.presets)
      #expect(loaded.publishedNames == own.publishedNames)
      for preset in own.presets {
        #expect(try loaded.network(preset.configuration) == own.network(preset.configuration))
      }
    }
  }
}
