import AviaryCheckpoint
import AviaryContainers
import AviaryFormats
import AviaryTestSupport
import Testing

/// Keras files that lie: each is refused with one line that says why.
@Suite struct HostileKerasTests {
  @Test(arguments: [
    ("numbers.h5", ": damaged: /, attribute layer_names: a list of names expected, numbers found"),
    ("absent-layer.h5", ": damaged: /: layer conv2d_1 expected, none found"),
    ("two-layers.h5", ": damaged: /: two layers named conv2d"),
    (
      "outside.h5",
      ": damaged: /conv2d, attribute weight_names: a name inside the group expected,"
        + " '../conv2d/kernel:0' found"
    ),
    ("absent-weight.h5", ": damaged: /conv2d: data set conv2d/gamma:0 expected, none found"),
    (
      "twice.h5",
      ": damaged: /conv2d/conv2d/kernel:0: a second tensor of the name conv2d.weight"
    ),
    ("no-names.h5", ": damaged: /conv2d: attribute weight_names expected, none found"),
    ("text.h5", ": /conv2d/conv2d/note:0: elements that are no numbers is not supported"),
    (
      "empty-name.h5",
      ": damaged: /conv2d, attribute weight_names: a name inside the group expected, '/' found"
    ),
    (
      "hole.weights.h5",
      ": damaged: /layers/conv2d: variables 0 to 1 expected, 0, 2 found"
    ),
    (
      "outside.weights.h5",
      #": damaged: /layers\..\conv2d\vars/0: a name inside the group expected,"#
        + " 'layers/../conv2d/vars/0' found"
    ),
    (
      "same-number.weights.h5",
      ": damaged: /layers/conv2d: variables 0 to 1 expected, 0, 0 found"
    ),
    (
      "bomb.keras",
      ": model.weights.h5, unpacked bytes: at most 16777216 expected, 25165824 found"
    ),
    ("more.keras", ": damaged: model.weights.h5: 3 bytes expected, more found"),
    ("less.keras", ": truncated: model.weights.h5: 6 bytes expected, 3 found"),
    ("unsound.keras", ": damaged: model.weights.h5: the packed data are not sound"),
    ("trailing.keras", ": damaged: model.weights.h5: more follows behind its end"),
    ("checksum.keras", ": damaged: model.weights.h5: the checksum does not agree"),
    ("overlap.keras", ": damaged: the zip directory: metadata.json lies over config.json"),
    (
      "parent.keras",
      ": damaged: the zip directory: a name inside the archive expected,"
        + " '../model.weights.h5' found"
    ),
    (
      "absolute.keras",
      ": damaged: the zip directory: a name inside the archive expected,"
        + " '/model.weights.h5' found"
    ),
    ("method.keras", ": model.weights.h5: compression of method 12 is not supported"),
    ("no-weights.keras", ": damaged: the archive: model.weights.h5 expected, none found"),
    ("arrays.keras", ": model.weights.npz, which is pickled arrays, is not supported"),
    ("no-hdf5.keras", ": model.weights.h5: damaged: "),
    (
      "absolute.weights.json",
      ": damaged: the index: /layers/conv2d/vars: the name of a file beside the index expected,"
        + " '/etc/passwd' found"
    ),
    (
      "parent.weights.json",
      ": damaged: the index: /layers/conv2d/vars: the name of a file beside the index expected,"
        + " '../three.weights.h5' found"
    ),
    (
      "number.weights.json",
      ": damaged: the index: /layers/conv2d/vars: a file's name expected, an integer found"
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
        == "\(path): damaged: the index: weight_map with a file for each layer expected")
  }
}
