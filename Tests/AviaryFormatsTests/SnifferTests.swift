import AviaryCheckpoint
import AviaryContainers
import AviaryFormats
import AviaryTestSupport
import Testing

@Suite struct SnifferTests {
  @Test(
    arguments: [
      ([0x93, 0x4E, 0x55, 0x4D, 0x50, 0x59, 1, 0], .npy),
      ([2, 0, 0, 0, 0, 0, 0, 0, 0x7B, 0x7D], .safetensors),
      ([0x08, 0x07, 0x12, 0x04], .onnx), ([0x80, 0x04, 0x95], .pickle),
      (Array(#"{"weight_map": {}}"#.utf8), .shardIndex),
      ([UInt8](repeating: 1, count: 257) + Array("ustar".utf8) + [0], .torchTar),
    ] as [([UInt8], FileFormat)]) func formatIsToldByContent(content: [UInt8], format: FileFormat)
    throws
  {
    let folder = try TemporaryFolder()
    #expect(try FileFormat.probe(folder.file("x", content)) == format)
  }

  @Test(
    arguments: [
      ([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A], "a PNG image"),
      ([0xFF, 0xD8, 0xFF, 0xE0], "a JPEG image"), ([0x1F, 0x8B, 8], "a gzip archive"),
      ([0, 1, 2, 3], "a file of another kind"),
      (
        [0x47, 0x6B, 0x30, 0x01, 0, 0, 0, 0],
        "the weights of an ncnn network (give its .param file)"
      ),
      (
        [0xDD, 0x85, 0x76, 0x00, 0, 0, 0, 0],
        "an ncnn network without names (give its .param file)"
      ),
      // Safetensors but for a length beyond the file.
      ([99, 0, 0, 0, 0, 0, 0, 0, 0x7B, 0x7D], "a file of another kind"),
      // An archive without members.
      (
        [0x50, 0x4B, 0x03, 0x04, 0x50, 0x4B, 0x05, 0x06] + [UInt8](repeating: 0, count: 18),
        "a zip archive of an unknown kind"
      ),
    ] as [([UInt8], String)]) func whatHoldsNoWeightsIsNamed(content: [UInt8], found: String)
    throws
  {
    let folder = try TemporaryFolder()
    let path = try folder.file("x", content)
    let error = try #require(throws: CheckpointError.self) { try FileFormat.probe(path) }
    #expect(error.description == "\(path): expected a file of weights, found \(found)")
  }

  @Test(
    arguments: [
      (Array("GGUF".utf8) + [3], "a GGUF file (its tensors saved as safetensors are read)"),
      (
        [0x1C, 0, 0, 0] + Array("TFL3".utf8),
        "a TensorFlow Lite model (tf2onnx makes an ONNX model of it)"
      ),
      (
        Array("MATLAB 5.0 MAT-file, Platform: GLNXA64".utf8),
        "a MATLAB file (its arrays saved as .npz are read; scipy.io.loadmat gives them)"
      ),
      (
        [0x12, 0x01] + [UInt8](repeating: 0, count: 14) + [3],
        "an MXNet .params file (its arrays saved as .npz are read)"
      ),
      (
        Array("<?xml version=\"1.0\"?>\n<net name=\"main\" version=\"11\">".utf8),
        "an OpenVINO model (the ONNX model that it was made of is read)"
      ),
    ] as [([UInt8], String)]) func whatIsNotReadIsNamed(content: [UInt8], what: String) throws
  {
    let folder = try TemporaryFolder()
    let path = try folder.file("x", content)
    let error = try #require(throws: CheckpointError.self) { try FileFormat.probe(path) }
    #expect(error.description == "\(path): reading \(what) is not supported")
  }

  @Test func aSpoiltHDF5IsDamaged() throws {
    let folder = try TemporaryFolder()
    let path = try folder.file("x", [0x89, 0x48, 0x44, 0x46, 0x0A, 0x1A, 0x0A])
    let error = try #require(throws: CheckpointError.self) { try FileFormat.probe(path) }
    #expect(
      error.description
        == "\(path): damaged: the signature: no more than the first 4 bytes are HDF5's")
  }

  /// HDF5 may follow a block of something else.
  @Test func hdf5BehindAUserBlock() throws {
    let folder = try TemporaryFolder()
    try sampleCheckpoint().write(to: folder.file("a.h5"))
    let block = [UInt8](repeating: 32, count: 512)
    let path = try folder.file("x", block + bytes(folder.file("a.h5")))
    #expect(try FileFormat.probe(path) == .aviaryCheckpoint)
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
    #expect(try FileFormat.probe(#require(SharedFolder.path("weights/" + file))) == format)
  }

  @Test func everyFormatHasALabel() {
    #expect(Set(FileFormat.allCases.map(\.label)).count == FileFormat.allCases.count)
  }
}
