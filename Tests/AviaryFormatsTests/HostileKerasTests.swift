import AviaryCheckpoint
import AviaryContainers
import AviaryFormats
import AviaryTestSupport
import Testing

/// Keras files that lie: each is refused with one line that says why.
@Suite struct HostileKerasTests {
  @Test(arguments: [
    ("numbers.h5", ": damaged: /, attribute layer_names: expected a list of names, found numbers"),
    ("absent-layer.h5", ": damaged: /: expected layer conv2d_1, found none"),
    ("two-layers.h5", ": damaged: /: two layers named conv2d"),
    (
      "outside.h5",
      ": damaged: /conv2d, attribute weight_names: expected a name inside the group,"
        + " found '../conv2d/kernel:0'"
    ),
    ("absent-weight.h5", ": damaged: /conv2d: expected data set conv2d/gamma:0, found none"),
    (
      "twice.h5",
      ": damaged: /conv2d/conv2d/kernel:0: a second tensor of the name conv2d.weight"
    ),
    ("no-names.h5", ": damaged: /conv2d: expected attribute weight_names, found none"),
    ("text.h5", ": /conv2d/conv2d/note:0: elements that are no numbers is not supported"),
    (
      "empty-name.h5",
      ": damaged: /conv2d, attribute weight_names: expected a name inside the group, found '/'"
    ),
    (
      "hole.weights.h5",
      ": damaged: /layers/conv2d: expected variables 0 to 1, found 0, 2"
    ),
    (
      "outside.weights.h5",
      #": damaged: /layers\..\conv2d\vars/0: expected a name inside the group,"#
        + " found 'layers/../conv2d/vars/0'"
    ),
    (
      "same-number.weights.h5",
      ": damaged: /layers/conv2d: expected variables 0 to 1, found 0, 0"
    ),
    (
      "bomb.keras",
      ": model.weights.h5, unpacked bytes: 25165824 exceeds the limit of 16777216"
    ),
    ("more.keras", ": damaged: model.weights.h5: expected 3 bytes, found more"),
    ("less.keras", ": truncated: model.weights.h5: expected 6 bytes, found 3"),
    ("unsound.keras", ": damaged: model.weights.h5: the packed data are not sound"),
    ("trailing.keras", ": damaged: model.weights.h5: more follows behind its end"),
    ("checksum.keras", ": damaged: model.weights.h5: the checksum does not agree"),
    ("overlap.keras", ": damaged: the zip directory: metadata.json lies over config.json"),
    (
      "parent.keras",
      ": damaged: the zip directory: expected a name inside the archive,"
        + " found '../model.weights.h5'"
    ),
    (
      "absolute.keras",
      ": damaged: the zip directory: expected a name inside the archive,"
        + " found '/model.weights.h5'"
    ),
    ("method.keras", ": model.weights.h5: compression of method 12 is not supported"),
    ("no-weights.keras", ": damaged: the archive: expected model.weights.h5, found none"),
    ("arrays.keras", ": model.weights.npz, which is pickled arrays, is not supported"),
    ("no-hdf5.keras", ": model.weights.h5: damaged: "),
    (
      "absolute.weights.json",
      ": damaged: the index: /layers/conv2d/vars: expected the name of a file beside the index,"
        + " found '/etc/passwd'"
    ),
    (
      "parent.weights.json",
      ": damaged: the index: /layers/conv2d/vars: expected the name of a file beside the index,"
        + " found '../three.weights.h5'"
    ),
    (
      "number.weights.json",
      ": damaged: the index: /layers/conv2d/vars: expected a file's name, found an integer"
    ),
  ]) func isRefused(file: String, message: String) throws {
    let path = Fixture.path("keras/hostile/" + file)
    let error = try #require(throws: CheckpointError.self) { try WeightsFile.read(path) }
    #expect(error.description.hasPrefix(path + message), "\(error)")
    #expect(!error.description.contains("\n"))
  }

  /// Odd, but sound.
  @Test(arguments: [
    ("root.weights.h5", ["model.weight"]),
    ("huge-number.weights.h5", ["conv2d.99999999999999999999"]),
  ]) func isRead(file: String, names: [String]) throws {
    let read = try WeightsFile.read(Fixture.path("keras/hostile/" + file))
    #expect(read.tensors.names == names)
  }

  /// Found by fuzzing: layers, and not one file.
  @Test func anIndexOfNoFilesIsRefused() throws {
    let folder = try TemporaryFolder()
    let path = try folder.file("x.weights.json", Array(#"{"weight_map": {"/a": []}}"#.utf8))
    let error = #expect(throws: CheckpointError.self) { try WeightsFile.read(path) }
    #expect(
      error?.description
        == "\(path): damaged: the index: expected weight_map with a file for each layer")
  }
}
