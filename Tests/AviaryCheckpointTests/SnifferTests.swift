import AviaryCheckpoint
import AviaryTestSupport
import Testing

@Suite struct SnifferTests {
  @Test(
    arguments: [
      ([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A], FileFormat.png),
      ([0xFF, 0xD8, 0xFF, 0xE0], .jpeg), ([0x93, 0x4E, 0x55, 0x4D, 0x50, 0x59, 1, 0], .npy),
      ([0x47, 0x47, 0x55, 0x46, 3], .gguf), ([0x1F, 0x8B, 8], .gzip),
      ([2, 0, 0, 0, 0, 0, 0, 0, 0x7B, 0x7D], .safetensors),
      // The same with a length beyond the file.
      ([99, 0, 0, 0, 0, 0, 0, 0, 0x7B, 0x7D], .unknown),
      ([0x08, 0x07, 0x12, 0x04], .onnx), ([0x80, 0x04, 0x95], .pickle), ([0, 1, 2, 3], .unknown),
      (Array(#"{"weight_map": {}}"#.utf8), .shardIndex),
      ([UInt8](repeating: 1, count: 257) + Array("ustar".utf8) + [0], .torchTar),
    ] as [([UInt8], FileFormat)]) func formatIsToldByContent(content: [UInt8], format: FileFormat)
    throws
  {
    let scratch = Scratch()
    #expect(try FileFormat.sniff(scratch.file("x", content)) == format)
  }

  /// HDF5 may follow a block of something else.
  @Test func hdf5BehindAUserBlock() throws {
    let scratch = Scratch()
    let other = try bytes(Fixture.path("hdf5/other.h5"))
    let path = try scratch.file("x", [UInt8](repeating: 32, count: 512) + other)
    #expect(try FileFormat.sniff(path) == .hdf5)
  }

  @Test(
    .enabled(if: SharedFolder.isPresent, "needs the shared folder"),
    arguments: [
      ("keras/NhatThanh_SRCNN/SRCNN-915.h5", FileFormat.kerasHDF5),
      ("keras/cszn_DnCNN/DnCNN_sigma25_model.h5", .kerasHDF5),
      ("keras/titu1994/SR Weights 2X.h5", .kerasHDF5),
      ("keras/keras3/Achira/srcnn_model.keras", .kerasArchive),
      ("keras/HTAKM_CAE/denoising_autoencoder.onnx", .onnx),
      ("onnx/2hg7274/super_resolution.onnx", .onnx),
      ("pytorch/pytorch_example_ESPCN/super_resolution.onnx", .onnx),
      ("ncnn/realesr/realesr-animevideov3-x4.param", .ncnnParameters),
      ("pytorch/Fivefold_SRCNN/Numpy/weights/conv1_w.npz", .npz),
      ("pytorch/RFDN/RFDN_AIM.pth", .torchLegacy), ("pytorch/RLFN/rlfn_x2.pth", .torchZip),
    ]) func publishedFiles(file: String, format: FileFormat) throws
  {
    #expect(try FileFormat.sniff(#require(SharedFolder.path("weights/" + file))) == format)
  }

  @Test func everyFormatHasALabel() {
    #expect(Set(FileFormat.allCases.map(\.label)).count == FileFormat.allCases.count)
  }
}
