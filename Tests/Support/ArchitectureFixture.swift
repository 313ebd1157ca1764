package import AviaryCheckpoint
import AviaryFormats
package import AviaryGraph
package import AviaryTensor
internal import FoundationEssentials

/// A tiny network of one architecture with random weights, an input and PyTorch's output, of
/// Tests/Fixtures/architectures.
package struct ArchitectureFixture: CustomStringConvertible, Sendable {
  /// The folder: `srcnn.9-1-5`.
  package let description: String
  /// The architecture's name in the registry.
  package let architecture: String
  /// The configuration, every member stated.
  package let configuration: JSON
  /// The state dict, under the names of the published source.
  package let weights: NamedTensors
  /// An image or several, NCHW.
  package let input: Tensor
  /// What PyTorch gives for it.
  package let output: Tensor

  /// The names of all cases.
  ///
  /// - Throws: where the folder cannot be read.
  package static func names() throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder.path)
      .filter {
        FileManager.default.fileExists(atPath: folder.appending(path: "\($0)/weights.pt").path)
      }
      .sorted()
  }

  /// Reads a case.
  ///
  /// - Throws: what is wrong with a file.
  package init(_ name: String) throws {
    let folder = ArchitectureFixture.folder.appending(path: name)
    description = name
    architecture = String(name.prefix { $0 != "." })
    configuration = try JSON(
      parsing: String(contentsOf: folder.appending(path: "configuration.json"), encoding: .utf8))
    weights = try WeightsFile.read(folder.appending(path: "weights.pt").path).tensors.loaded()
    let example = try WeightsFile.read(folder.appending(path: "example.pt").path).tensors.loaded()
    guard let input = example["input"], let output = example["output"] else {
      throw NaiveError(description: "\(name): example.pt without input or output")
    }
    (self.input, self.output) = (input, output)
  }

  private static let folder = SharedFolder.repository
    .appending(path: "Tests/Fixtures/architectures")
}
