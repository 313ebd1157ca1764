import AviaryCheckpoint
import AviaryContainers
import AviaryFormats
import AviaryTensor
import AviaryGraph
import AviaryTensor
import Testing

@testable import Aviary

@Suite struct NetworkNotBuiltTests {
  private func file(_ names: [String], prefix: String = "") -> WeightsFile {
    let tensors = names.map {
      TensorDescription(name: $0, shape: [1], elementType: .float32)
    }
    var file = WeightsFile(
      path: "own.pth", format: .torchZip,
      tensors: TensorSource(tensors) { (position) throws(CheckpointError) in
        throw .invalidName("\(position)")
      }, origin: Origin(.pytorch))
    file.unwrapping.prefix = prefix
    return file
  }

  @Test func namesTell() {
    let rife = ["block0.conv0.0.0.weight", "block1.conv0.0.0.weight", "block2.lastconv.bias"]
    #expect(NetworkNotBuilt.named(by: file(rife))?.name == "RIFE")
    #expect(NetworkNotBuilt.named(by: file(Array(rife.dropFirst()))) == nil)
    // What all names began with may belong to the network.
    let lama = ["1.bn_l.running_mean", "1.ffc.weight"]
    #expect(NetworkNotBuilt.named(by: file(lama, prefix: "generator.model."))?.name == "LaMa")
    #expect(NetworkNotBuilt.named(by: file([])) == nil)
  }

  @Test func noArchitectureIsAmongThem() throws {
    for architecture in Registry.builtin.architectures {
      for preset in architecture.presets {
        let graph = try architecture.network(preset.configuration).graph
        let found = NetworkNotBuilt.named(by: file(graph.parameters.map(\.name)))
        #expect(found == nil, "\(architecture.info.name): \(found?.name ?? "")")
      }
    }
  }
}
