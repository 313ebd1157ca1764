import AviaryCheckpoint
import AviaryFormats
import AviaryGraph
import AviaryTensor
import AviaryTestSupport
import Testing

/// Functions of single and of two values as Keras and ncnn state them.
@Suite struct ElementwiseImportTests {
  /// The operations of a Keras model of these layers, one after another.
  private func keras(_ layers: [String], version: String = "3.5") throws -> [Op] {
    let input =
      #"{"class_name": "InputLayer", "config": {"name": "x", "batch_shape": [null, null, null, 3]}}"#
    let configuration =
      #"{"class_name": "Sequential", "config": {"name": "s", "layers": ["#
      + ([input] + layers).joined(separator: ", ") + "]}}"
    let file = WeightsFile(
      path: "made.keras", format: .kerasArchive, tensors: TensorSource(NamedTensors()),
      origin: Origin(.keras, version: version), network: .keras(configuration))
    return try #require(try KerasGraph.graph(of: file)).graph.nodes.map(\.op)
  }

  private func activation(_ word: String) -> String {
    #"{"class_name": "Activation", "config": {"name": "a", "activation": "\#(word)"}}"#
  }

  @Test(arguments: [
    ("softplus", Activation.softplus(beta: 1, threshold: 20)), ("mish", .mish),
    ("softsign", .softsign), ("exponential", .exp), ("selu", .selu), ("celu", .celu(alpha: 1)),
    ("hard_sigmoid", .hardSigmoid), ("hard_silu", .hardSwish), ("hard_swish", .hardSwish),
  ])
  func kerasActivations(_ word: String, _ expected: Activation) throws {
    #expect(try keras([activation(word)]) == [.activation(expected)])
  }

  /// Keras 2 has another slope under the same name.
  @Test func hardSigmoidOfKerasTwo() throws {
    #expect(
      try keras([activation("hard_sigmoid")], version: "2.15") == [
        .scale(Scale([0.2])), .offset(Offset([0.5])),
        .activation(.clamp(minimum: 0, maximum: 1)),
      ])
  }

  @Test func logSigmoid() throws {
    #expect(
      try keras([activation("log_sigmoid")]) == [
        .scale(Scale([-1])), .activation(.softplus(beta: 1, threshold: 20)), .scale(Scale([-1])),
      ])
  }

  /// The operation that an ncnn layer of one or two inputs becomes.
  private func ncnn(_ line: String, inputs: Int = 1) throws -> [Op] {
    let folder = try TemporaryFolder()
    let input = (0..<inputs).map { "Input in\($0) 0 1 in\($0) 2=3" }
    let text = (["7767517", "\(inputs + 1) \(inputs + 1)"] + input + [line])
      .joined(separator: "\n")
    let path = try folder.file("x.param", Array((text + "\n").utf8))
    _ = try folder.file("x.bin", [])
    return try NCNNModel.graph(WeightsFile.read(path)).graph.nodes.map(\.op)
  }

  @Test(arguments: [
    ("AbsVal f 1 1 in0 out", [Op.activation(.abs)]),
    ("Mish f 1 1 in0 out", [.activation(.mish)]),
    ("CELU f 1 1 in0 out 0=0.5", [.activation(.celu(alpha: 0.5))]),
    ("Erf f 1 1 in0 out", [.activation(.erf)]),
    ("Exp f 1 1 in0 out 0=-1.0", [.activation(.exp)]),
    ("Log f 1 1 in0 out", [.activation(.log)]),
    ("Softplus f 1 1 in0 out", [.activation(.softplus(beta: 1, threshold: 20))]),
    ("UnaryOp f 1 1 in0 out 0=2", [.activation(.floor)]),
    ("UnaryOp f 1 1 in0 out 0=4", [.binary(.multiply)]),
    ("UnaryOp f 1 1 in0 out 0=6", [.activation(.rsqrt)]),
    ("UnaryOp f 1 1 in0 out 0=15", [.activation(.reciprocal)]),
    ("BinaryOp f 1 1 in0 out 0=8 1=1 2=3.0", [.activation(.reciprocal), .scale(Scale([3]))]),
    ("BinaryOp f 1 1 in0 out 0=6 1=1 2=0.5", [.activation(.sqrt)]),
  ])
  func ncnnFunctions(_ line: String, _ expected: [Op]) throws {
    #expect(try ncnn(line) == expected)
  }

  @Test(arguments: [
    (3, Binary.divide), (4, .maximum), (5, .minimum), (6, .power), (8, .divide),
  ])
  func ncnnPairs(_ kind: Int, _ expected: Binary) throws {
    #expect(try ncnn("BinaryOp f 2 1 in0 in1 out 0=\(kind)", inputs: 2) == [.binary(expected)])
  }

  @Test func whatNcnnHasAndWeDoNotIsNamed() {
    #expect(throws: InterchangeError.self) { try ncnn("UnaryOp f 1 1 in0 out 0=9") }
    #expect(throws: InterchangeError.self) { try ncnn("Log f 1 1 in0 out 0=2.0") }
  }
}
