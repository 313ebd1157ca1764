import AviaryCheckpoint
import AviaryFormats
import AviaryTensor
import AviaryTestSupport
import FoundationEssentials

/// Losses and gradients that PyTorch calculated: Tests/Fixtures/losses.
struct LossFixture {
  private let tensors: NamedTensors

  init() throws {
    let file = SharedFolder.repository.appending(path: "Tests/Fixtures/losses/losses.pt")
    tensors = try WeightsFile.read(file.path).tensors.loaded()
  }

  subscript(_ name: String) -> Tensor {
    get throws {
      guard let tensor = tensors[name] else { throw NaiveError(description: "\(name): none") }
      return tensor
    }
  }

  /// A single number, in double precision.
  func value(_ name: String) throws -> Double {
    try unsafe self[name].withUnsafeBytes { unsafe $0.loadUnaligned(as: Double.self) }
  }
}
