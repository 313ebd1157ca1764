import AviaryTestSupport
import Foundation
import Testing

/// Every file of weights that other people published and that lies in the shared folder: what it
/// is, how many tensors it has, what it is taken for. Skipped where the folder is absent.
@Suite("Published files", .enabled(if: SharedFolder.isPresent))
struct PublishedFilesTests {
  /// What a file is taken for.
  enum Network: Sendable {
    /// An architecture of the registry.
    case known(String)
    /// The network that the file describes.
    case described
    /// An architecture that is used in several ways, of which the file does not say which.
    case asked(String)
    /// Weights that no architecture of ours has.
    case none
  }

  struct File: Sendable, CustomTestStringConvertible {
    var path: String
    var format: String
    var tensors: Int
    var network: Network
    var testDescription: String { path }

    init(_ path: String, _ format: String, _ tensors: Int, _ network: Network) {
      (self.path, self.format, self.tensors, self.network) = (path, format, tensors, network)
    }
  }

  static let files: [File] = [
    File("keras/HTAKM_CAE/denoising_autoencoder.h5", "kerasHDF5", 0, .described),
    File("keras/HTAKM_CAE/denoising_autoencoder.onnx", "onnx", 14, .described),
    File("keras/MarkPrecursor_SRCNN/3051crop_weight_200.h5", "kerasHDF5", 6, .known("srcnn")),
    File("keras/MarkPrecursor_SRCNN/m_model_adam_new30.h5", "kerasHDF5", 6, .known("srcnn")),
    File("keras/NhatThanh_ESPCN/ESPCN-x2.h5", "kerasHDF5", 6, .asked("espcn")),
    File("keras/NhatThanh_ESPCN/ESPCN-x3.h5", "kerasHDF5", 6, .asked("espcn")),
    File("keras/NhatThanh_ESPCN/ESPCN-x4.h5", "kerasHDF5", 6, .asked("espcn")),
    File("keras/NhatThanh_FSRCNN/FSRCNN-x2.h5", "kerasHDF5", 20, .known("fsrcnn")),
    File("keras/NhatThanh_FSRCNN/FSRCNN-x3.h5", "kerasHDF5", 20, .known("fsrcnn")),
    File("keras/NhatThanh_FSRCNN/FSRCNN-x4.h5", "kerasHDF5", 20, .known("fsrcnn")),
    File("keras/NhatThanh_SRCNN/SRCNN-915.h5", "kerasHDF5", 6, .known("srcnn")),
    File("keras/NhatThanh_SRCNN/SRCNN-935.h5", "kerasHDF5", 6, .known("srcnn")),
    File("keras/NhatThanh_SRCNN/SRCNN-955.h5", "kerasHDF5", 6, .known("srcnn")),
    File("keras/cszn_DnCNN/DnCNN_sigma25_model.h5", "kerasHDF5", 78, .known("dncnn")),
    File("keras/itsadnanlone_CAE/autoencoder.h5", "kerasHDF5", 16, .described),
    File("keras/itsadnanlone_CAE/decoder.h5", "kerasHDF5", 6, .described),
    File("keras/itsadnanlone_CAE/encoder.h5", "kerasHDF5", 10, .described),
    File("keras/keras3/Achira/srcnn_model.keras", "kerasArchive", 6, .known("srcnn")),
    File("keras/keras3/Vietanh/srcnn.keras", "kerasArchive", 18, .described),
    File("keras/titu1994/Denoising AutoEncoder 2X.h5", "kerasHDF5", 10, .none),
    File("keras/titu1994/ResNetSR 2X.h5", "kerasHDF5", 78, .none),
    File("keras/titu1994/SR Weights 2X.h5", "kerasHDF5", 6, .known("srcnn")),
    File("ncnn/realesr/realesr-animevideov3-x4.bin", "ncnnParameters", 53, .described),
    File("ncnn/realesr/realesr-animevideov3-x4.param", "ncnnParameters", 53, .described),
    // Its file states one size of image, which the architecture does not have.
    File("onnx/2hg7274/super_resolution.onnx", "onnx", 8, .described),
    File("pytorch/CARN-M/carn_m.pth", "torchLegacy", 58, .known("carn")),
    File("pytorch/Fivefold_SRCNN/Cython/weights/conv1_b.npz", "npz", 1, .none),
    File("pytorch/Fivefold_SRCNN/Cython/weights/conv1_w.npz", "npz", 1, .none),
    File("pytorch/Fivefold_SRCNN/Cython/weights/conv2_b.npz", "npz", 1, .none),
    File("pytorch/Fivefold_SRCNN/Cython/weights/conv2_w.npz", "npz", 1, .none),
    File("pytorch/Fivefold_SRCNN/Cython/weights/conv3_b.npz", "npz", 1, .none),
    File("pytorch/Fivefold_SRCNN/Cython/weights/conv3_w.npz", "npz", 1, .none),
    File("pytorch/Fivefold_SRCNN/Numpy/weights/conv1_b.npz", "npz", 1, .none),
    File("pytorch/Fivefold_SRCNN/Numpy/weights/conv1_w.npz", "npz", 1, .none),
    File("pytorch/Fivefold_SRCNN/Numpy/weights/conv2_b.npz", "npz", 1, .none),
    File("pytorch/Fivefold_SRCNN/Numpy/weights/conv2_w.npz", "npz", 1, .none),
    File("pytorch/Fivefold_SRCNN/Numpy/weights/conv3_b.npz", "npz", 1, .none),
    File("pytorch/Fivefold_SRCNN/Numpy/weights/conv3_w.npz", "npz", 1, .none),
    File("pytorch/Fivefold_SRCNN/Torch/weights/x3.pth", "torchLegacy", 6, .known("srcnn")),
    File("pytorch/IMDN/IMDN_x2.pth", "torchLegacy", 92, .known("imdn")),
    File("pytorch/IMDN/model_RTC.pth", "torchLegacy", 56, .known("imdn")),
    File("pytorch/NhatThanh_ESPCN/ESPCN-x2.pt", "torchZip", 6, .asked("espcn")),
    File("pytorch/NhatThanh_ESPCN/ESPCN-x3.pt", "torchZip", 6, .asked("espcn")),
    File("pytorch/NhatThanh_ESPCN/ESPCN-x4.pt", "torchZip", 6, .asked("espcn")),
    File("pytorch/NhatThanh_FSRCNN/FSRCNN-x2.pt", "torchZip", 20, .known("fsrcnn")),
    File("pytorch/NhatThanh_FSRCNN/FSRCNN-x3.pt", "torchZip", 20, .known("fsrcnn")),
    File("pytorch/NhatThanh_FSRCNN/FSRCNN-x4.pt", "torchZip", 20, .known("fsrcnn")),
    File("pytorch/NhatThanh_FSRCNN/FSRCNN_x2_ckpt.pt", "torchZip", 20, .known("fsrcnn")),
    File("pytorch/NhatThanh_SRCNN/SRCNN-915.pt", "torchZip", 6, .known("srcnn")),
    File("pytorch/NhatThanh_SRCNN/SRCNN-935.pt", "torchZip", 6, .known("srcnn")),
    File("pytorch/NhatThanh_SRCNN/SRCNN-955.pt", "torchZip", 6, .known("srcnn")),
    File("pytorch/NhatThanh_SRCNN/SRCNN915_ckpt.pt", "torchZip", 6, .known("srcnn")),
    File("pytorch/NhatThanh_VDSR/VDSR.pt", "torchZip", 40, .known("vdsr")),
    File("pytorch/RFDN/RFDN_AIM.pth", "torchLegacy", 128, .known("rfdn")),
    File("pytorch/RLFN/rlfn_x2.pth", "torchZip", 114, .known("rlfn")),
    File("pytorch/cszn_DnCNN/DnCNN_sigma25_model.pth", "torchLegacy", 93, .known("dncnn")),
    File("pytorch/pytorch_example_ESPCN/model_epoch_599.pth", "torchLegacy", 8, .known("espcn")),
    File("pytorch/pytorch_example_ESPCN/super_resolution.onnx", "onnx", 8, .described),
    File("pytorch/sisr-irl/DRRN.pt", "torchLegacy", 4, .known("drrn")),
    File("pytorch/sisr-irl/LapSRN_x2.pt", "torchLegacy", 14, .known("lapsrn")),
    File("pytorch/twtygqyy_VDSR/model_epoch_50.pth", "torchLegacy", 20, .known("vdsr")),
  ]

  @Test("no file is left out")
  func complete() throws {
    let root = try #require(SharedFolder.path("weights"))
    // Folders have no ending.
    let found = try FileManager.default.subpathsOfDirectory(atPath: root).filter { path in
      let name = path.split(separator: "/").last ?? ""
      return name.contains(".") && !name.hasSuffix(".md")
    }
    let damaged = "damaged/coursera_encoder/encoder_weights.hdf5"
    #expect(Set(found) == Set(Self.files.map(\.path) + [damaged]))
  }

  @Test("is read and told", arguments: files)
  func isTold(_ file: File) throws {
    let path = try #require(SharedFolder.path("weights/\(file.path)"))
    let outcome = try Outcome(["inspect", path, "--json"])
    try #require(outcome.status == 0, "\(outcome.error)")
    let json = try outcome.json()
    #expect(json["format"] as? String == file.format)
    #expect((json["tensors"] as? [[String: Any]])?.count == file.tensors)
    let recognised = (json["recognised"] as? [String: Any])?["architecture"] as? String
    switch file.network {
    case .known(let architecture): #expect(recognised == architecture)
    case .described: #expect(recognised == "")
    case .asked(let architecture):
      #expect(recognised == nil)
      #expect(
        (json["problem"] as? String)?.contains("fits \(architecture), which is used with") == true)
    case .none: #expect(recognised == nil)
    }
  }

  /// These state the size of the example that they were exported with, which is kept unless it is
  /// said to be none of the network's.
  @Test(
    "at any size what a size is stated for is an architecture",
    arguments: [
      "onnx/2hg7274/super_resolution.onnx", "pytorch/pytorch_example_ESPCN/super_resolution.onnx",
    ])
  func anySize(_ path: String) throws {
    let file = try #require(SharedFolder.path("weights/\(path)"))
    let outcome = try Outcome(["inspect", file, "--size", "any", "--json"])
    try #require(outcome.status == 0, "\(outcome.error)")
    let recognised = try outcome.json()["recognised"] as? [String: Any]
    #expect(recognised?["architecture"] as? String == "espcn")
  }

  @Test("the damaged one is refused with its reason")
  func damaged() throws {
    let path = try #require(
      SharedFolder.path("weights/damaged/coursera_encoder/encoder_weights.hdf5"))
    expectFailure(
      try Outcome(["inspect", path]), 65,
      "\(path): expected a file of weights, found a file of another kind")
  }

  @Test("a file without weights says so")
  func withoutWeights() throws {
    let path = try #require(SharedFolder.path("weights/keras/HTAKM_CAE/denoising_autoencoder.h5"))
    let outcome = try Outcome(["inspect", path])
    #expect(outcome.status == 0)
    #expect(outcome.output.contains("Tensors     0, 0 values"))
  }

  @Test("Keras 1's denoising autoencoder, its network declared by a plugin, as it was measured")
  func denoisingAutoencoder() throws {
    let folder = try TemporaryFolder()
    let model = folder.file("model.h5")
    let weights = try #require(
      SharedFolder.path("weights/keras/titu1994/Denoising AutoEncoder 2X.h5"))
    let plugin = fixture("plugins/denoising-autoencoder.json")
    let convert = try Outcome(["convert", weights, model, "--plugin", plugin, "--scale", "2"])
    #expect(convert.status == 0, "\(convert.error)")
    #expect(convert.output.contains("kernels taken as they are: not trained with Theano"))
    let data = try #require(SharedFolder.path("data/bench/Set5/HR"))
    let eval = try Outcome(["eval", model, "--data", data, "--scale", "2", "--json"])
    let mean = try #require(try eval.json()["mean"] as? [String: Any])
    let psnr = try #require(mean["psnr"] as? Double)
    #expect((36.44...36.50).contains(psnr), "\(psnr)")
  }
}
