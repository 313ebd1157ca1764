import AviaryCheckpoint
import AviaryFormats
import AviaryTestSupport
import Testing

/// Changed files of every container but HDF5: each gives an error of one line or tensors, and soon.
@Suite struct ContainerFuzzTests {
  @Test(
    arguments: [
      ("safetensors", ["safetensors/types.safetensors", "safetensors/ema.safetensors"]),
      (
        "npy",
        ["big_fortran.npy", "version1.npy", "version3.npy", "scalar.npy"].map { "numpy/" + $0 }
      ),
      ("npz", ["numpy/stored.npz", "numpy/deflated.npz"]),
      (
        "pickle",
        ["protocol2.pkl", "protocol3.pkl", "protocol5.pkl"].map { "numpy/" + $0 }
      ),
      (
        "legacy",
        ["legacy.pt", "views_legacy.pt", "module_legacy.pt"].map { "pytorch/containers/" + $0 }
      ),
      ("tar", ["pytorch/containers/tar.pt"]),
      (
        "zip",
        ["views.pt", "module.pt", "shared.pt", "lightning.pt"].map { "pytorch/containers/" + $0 }
      ),
      ("training", ["optimizer/adam.pt", "optimizer/old.pt", "optimizer/named.pt"]),
      ("script", ["pytorch/containers/scripted.pt", "pytorch/containers/traced.pt"]),
    ]) func changedFilesAreReadOrRefused(container: String, files: [String]) throws
  {
    let folder = try TemporaryFolder()
    let originals = try files.map { try withoutChecksums(bytes(Fixture.path($0))) }
    let fuzzing = try Fuzzing(container, originals, in: folder) { path in
      do {
        let file = try WeightsFile.read(path)
        for position in file.tensors.indices { _ = try file.tensors.tensor(at: position) }
        guard let optimizer = file.optimizer else { return }
        _ = optimizer.following(from: file.tensors, to: file.tensors)
        _ = try optimizer.tensors.loaded()
      } catch {
        #expect(!"\(error)".contains("\n"))
        throw error
      }
    }
    #expect(fuzzing.slowest < 10, "\(container): \(fuzzing)")
    #expect(fuzzing.refused > 0 && fuzzing.refused < fuzzing.files)
  }

  @Test func changedIndicesLeadNowhere() throws {
    let folder = try TemporaryFolder()
    for name in ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"] {
      _ = try folder.file(name, bytes(Fixture.path("safetensors/" + name)))
    }
    let original = try bytes(Fixture.path("safetensors/model.safetensors.index.json"))
    let fuzzing = try Fuzzing("index", [original], in: folder) { path in
      _ = try WeightsFile.read(path).tensors.loaded()
    }
    #expect(fuzzing.slowest < 10, "\(fuzzing)")
  }

  /// A zip archive whose directory has no checksums, as PyTorch may write it: changes reach the
  /// readers behind the archive's.
  private func withoutChecksums(_ file: [UInt8]) -> [UInt8] {
    var file = file
    guard file.starts(with: [0x50, 0x4B, 0x03, 0x04]) else { return file }
    for i in file.indices.dropLast(20) where file[i...].starts(with: [0x50, 0x4B, 0x01, 0x02]) {
      for j in i + 16..<i + 20 { file[j] = 0 }
    }
    return file
  }
}
