import AviaryCheckpoint
import AviaryFormats
import Aviary
import AviaryCompute
import AviaryGraph
import AviaryTensor
import AviaryTestSupport
import Foundation
import Testing

/// The folder that Scripts/interop filled; nil where it did not.
private let interopFolder = ProcessInfo.processInfo.environment["AVIARY_INTEROP"]

/// What the real frameworks saved, converted by the program, computes what they compute.
///
/// Scripts/interop makes the files with Tests/Interop/make.py and names their folder in
/// `AVIARY_INTEROP`; without it there is nothing to hold against.
@Suite("Interchange with the real frameworks", .enabled(if: interopFolder != nil))
struct InteropTests {
  /// A file that a framework saved.
  struct Case: Decodable, Sendable, CustomTestStringConvertible {
    var name: String
    var file: String
    var arguments: [String]
    var example: String
    var testDescription: String { name }
  }

  static let cases: [Case] = ["torch", "keras"].flatMap { framework -> [Case] in
    guard let interopFolder,
      let data = FileManager.default.contents(
        atPath: "\(interopFolder)/cases.\(framework).json")
    else { return [] }
    return (try? JSONDecoder().decode([Case].self, from: data)) ?? []
  }

  @Test("there are hundreds of them")
  func areThere() {
    #expect(Self.cases.count { $0.name.hasPrefix("torch") } > 300)
    #expect(Self.cases.count { $0.name.contains("keras") } > 90)
  }

  @Test("is converted and computes the same", arguments: cases)
  func computesTheSame(_ given: Case) throws {
    let source = try #require(interopFolder)
    let folder = try TemporaryFolder()
    let path = folder.file("model.h5")
    let convert = try Outcome(["convert", "\(source)/\(given.file)", path] + given.arguments)
    try #require(convert.status == 0, "\(convert.error)")
    let model = try Model(checkpoint: path)
    let weights = PackedWeights(
      Dictionary(uniqueKeysWithValues: model.weights.map { ($0.name, $0.tensor) }))
    let example = try WeightsFile.read("\(source)/\(given.example)").tensors.loaded()
    var number = 0
    while let input = example["input_\(number)"] {
      let expected = try #require(example["output_\(number)"])
      var plan = try Plan(
        model.graph, weights: weights, inputShapes: [input.shape],
        options: PlanOptions(exact: true), engine: Engine(threads: 1))
      let results = try plan.run([model.graph.inputs[0].name: input])
      let output = try #require(results[model.graph.outputs[0].name])
      let agreement = Agreement(output, expected: expected)
      #expect(agreement.relative <= 1e-5, "\(input.shape): \(agreement)")
      number += 1
    }
    #expect(number > 0)
  }
}
