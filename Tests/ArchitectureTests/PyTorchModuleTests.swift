import AviaryFormats
import Aviary
import AviaryGraph
import AviaryTestSupport
import FoundationEssentials
import Testing

/// Networks as Python files. That they compute what they should is for the real PyTorch to say
/// (Tests/Fixtures/export/check.py); here is what they look like.
@Suite struct PyTorchModuleTests {
  @Test(arguments: ["residual-cae", "fsrcnn", "plain-cae"])
  func text(_ name: String) throws {
    let network = try Registry.builtin[name].network()
    let found = try PyTorchModule.source(
      graph: network.graph, className: name, weightsFile: "\(name).pt")
    let path = SharedFolder.repository.appending(path: "Tests/Fixtures/export/\(name).py")
    #expect(try found == String(contentsOf: path, encoding: .utf8))
  }

  /// A graph of one convolution whose parameters have these names.
  private func graph(_ names: [String], node: String = "node") throws -> Graph {
    try Graph(
      inputs: [Graph.Input("in put", channels: 1)],
      nodes: [
        Graph.Node(
          node, .convolution(Convolution(outChannels: 1, kernel: 1)), inputs: [0], parameters: names
        )
      ], outputs: [Graph.Output("output", value: 1)])
  }

  @Test(arguments: [
    (
      ["a..weight", "a..bias"],
      "a.: cannot be written as a PyTorch module: a part of the name is empty"
    ),
    (
      ["train.weight", "train.bias"],
      "train: cannot be written as a PyTorch module: 'train' may be nn.Module's own"
    ),
    (
      ["a.__init__.weight", "a.__init__.bias"],
      "a.__init__: cannot be written as a PyTorch module: '__init__' may be nn.Module's own"
    ),
    (
      ["a", "a.b"],
      "a.b: cannot be written as a PyTorch module: 'a' is a tensor and a module as well"
    ),
  ])
  func namesThatNoStateDictHas(_ names: [String], _ message: String) throws {
    let error = #expect(throws: InterchangeError.self) {
      try PyTorchModule.source(graph: graph(names), className: "A", weightsFile: "a.pt")
    }
    #expect(error?.description == message)
  }

  @Test func namesStayWithinTheirQuotes() throws {
    let hostile = "x\"]\nimport os\n#\u{2028}é"
    let text = try PyTorchModule.source(
      graph: graph(["\(hostile).weight", "\(hostile).bias"]), className: "import os\nclass",
      weightsFile: "\"); import os")
    #expect(!text.contains("\nimport os"))
    #expect(text.utf8.allSatisfy { $0 < 0x80 })
    #expect(text.contains("class import_os_class(nn.Module):"))
    #expect(text.contains(#"def load(path="\"); import os"):"#))
    let literal = #""x\"]\U0000000aimport os\U0000000a#\U00002028\U000000e9""#
    #expect(text.contains("self.add_module(\(literal), nn.Conv2d(1, 1, 1))"))
    #expect(text.contains("return getattr(self, \(literal))(x)"))
  }

  @Test func parametersWithoutALayersNamesAreHeldByThemselves() throws {
    let text = try PyTorchModule.source(
      graph: graph(["kernel", "offsets.first"]), className: "A", weightsFile: "a.pt")
    #expect(text.contains("self.kernel = nn.Parameter(torch.zeros((1, 1, 1, 1)))"))
    #expect(text.contains(#"return F.conv2d(x, self.kernel, self.offsets["first"], 1, 0, 1, 1)"#))
    #expect(text.contains("class Group(nn.Module):"))
  }
}
