import AviaryCheckpoint
import AviaryContainers
import AviaryFormats
import AviaryTestSupport
import Testing

/// State dicts that h5py wrote as they are.
@Suite struct HDF5StateDictTests {
  @Test(arguments: ["flat", "groups"]) func tensorsKeepNamesAndLayout(file: String) throws {
    let read = try WeightsFile.read(Fixture.path("hdf5-state/\(file).h5"))
    let expected: Fixture.Expected = try Fixture.decoded("hdf5-state/expected.json")
    #expect(read.format == .hdf5StateDict)
    // 10 comes behind 9, and not behind 1 as HDF5 has it.
    #expect(read.tensors.names == expected.names)
    try expected.check(read.tensors)
    #expect(read.unwrapping.prefix == "module.")
    #expect(read.unwrapping.metadata.map(\.value) == (file == "flat" ? ["7"] : []))
  }

  @Test func trainingDataIsNone() throws {
    let path = Fixture.path("hdf5-state/training.h5")
    let error = #expect(throws: CheckpointError.self) { try WeightsFile.read(path) }
    #expect(
      error?.description
        == "\(path): expected a file of weights, found an HDF5 file of an unknown kind "
        + "(at the top: data, label)")
  }
}
