import AviaryTestSupport
import AviaryFormats
import AviaryCheckpoint
import AviaryContainers
import AviaryTensor
import AviaryTestSupport
import Testing

/// Files of other writers, honest and not.
@Suite struct HDF5FixtureTests {
  private func path(_ name: String) -> String { Fixture.path("hdf5/" + name) }

  @Test func aCheckpointOfAnotherWriterIsRead() throws {
    // Strings of variable length, no positions, no card: h5py's habits. The hash is the script's.
    let checkpoint = try Checkpoint(contentsOf: path("foreign.h5"))
    #expect(checkpoint.architecture == "srcnn")
    #expect(checkpoint.createdBy == "h5py")
    #expect(checkpoint.weights.names == ["a.weight", "b"])
    #expect(checkpoint.weights["a.weight"]?.shape == [])
    #expect(checkpoint.weights["a.weight"]?.floats == [2.5])
    #expect(checkpoint.weights["b"]?.shape == [2, 3])
    #expect(checkpoint.weights["b"]?.floats == [0, 1, 2, 3, 4, 5])
    #expect(checkpoint.card == Card())
  }

  @Test func chunksDeflateAndByteOrderAreRead() throws {
    let deflated = try Checkpoint(contentsOf: path("deflated.h5"))
    #expect(deflated.weights["w"]?.floats == [Float](repeating: 1, count: 4096))
    let swapped = try Checkpoint(contentsOf: path("big_endian.h5"))
    #expect(swapped.weights["w"]?.floats == [0, 1, 2, 3, 4, 5])
    #expect(try Checkpoint(contentsOf: path("no_tensors.h5")).weights.isEmpty)
  }

  @Test(arguments: [
    (
      "changed.h5",
      "the tensors were changed: their content hash is sha256:09\u{2026}, the file states sha256:32\u{2026}"
    ),
    (
      "newer.h5",
      "is of checkpoint format version 2, and this aviary reads up to version 1; use a newer one"
    ),
    ("soft_link.h5", "/weights/v: a link of the soft kind is not supported"),
    ("external_link.h5", "/weights/v: a link of the external kind is not supported"),
    ("external_storage.h5", "/weights/w: a data set kept in other files is not supported"),
    ("virtual.h5", "/weights/w: a data set of another layout is not supported"),
    (
      "foreign_filter.h5",
      "/weights/w: filter 32000 (deflate and shuffle are) is not supported"
    ),
    (
      "bomb.h5",
      "/weights/w, shape [1048576, 1048576], bytes: 4398046511104 exceeds the limit of 1048576"
    ),
    (
      "chunk_bomb.h5",
      "/weights/w, shape [32768, 16384], bytes: 2147483648 exceeds the limit of 1048576"
    ),
    ("nested.h5", "damaged: /weights/w: expected a data set, found a group"),
    ("text.h5", "/weights/w: elements of another type than numbers is not supported"),
    ("no_weights.h5", "damaged: /weights: expected a group, found none"),
    (
      "other.h5",
      "expected a file of weights, found an HDF5 file of an unknown kind (at the top: x)"
    ),
  ]) func isRefused(name: String, message: String) throws {
    let error = try #require(throws: CheckpointError.self) {
      try Checkpoint(contentsOf: path(name))
    }
    #expect(shortened(error).hasPrefix("\(name): \(message)"), "\(error)")
  }

  @Test func aTypeOutsideTheFormatIsNamed() throws {
    let error = try #require(throws: CheckpointError.self) {
      try Checkpoint(contentsOf: path("double.h5"))
    }
    #expect(
      shortened(error)
        == "double.h5: w: expected element type float32, float16, bfloat16, int8 or int64, "
        + "found float64")
  }

  @Test func unverifiedIsReadAllTheSame() throws {
    let checkpoint = try Checkpoint(contentsOf: path("changed.h5"), verify: false)
    #expect(checkpoint.storedHash != checkpoint.contentHash)
  }

  /// The message without the fixtures' folder, and with hashes cut to two digits.
  private func shortened(_ error: CheckpointError) -> String {
    error.description.replacing(Fixture.path("hdf5") + "/", with: "")
      .replacing(/(sha256:..)[0-9a-f]{62}/) { $0.output.1 + "\u{2026}" }
  }
}
