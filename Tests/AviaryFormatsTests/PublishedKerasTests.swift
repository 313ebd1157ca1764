import AviaryCheckpoint
import AviaryContainers
import AviaryFormats
import AviaryTestSupport
import Testing

/// Keras weights that other people published. Skipped where the shared folder is absent.
@Suite(.enabled(if: SharedFolder.isPresent)) struct PublishedKerasTests {
  /// File, version of Keras, tensors and elements, as h5py counts them.
  static let files: [(String, String, Int, Int)] = [
    ("HTAKM_CAE/denoising_autoencoder.h5", "2.18.0", 0, 0),
    ("MarkPrecursor_SRCNN/3051crop_weight_200.h5", "1", 6, 85889),
    ("MarkPrecursor_SRCNN/m_model_adam_new30.h5", "1", 6, 20353),
    ("NhatThanh_ESPCN/ESPCN-x2.h5", "2.8.0", 6, 26796),
    ("NhatThanh_ESPCN/ESPCN-x3.h5", "2.8.0", 6, 31131),
    ("NhatThanh_ESPCN/ESPCN-x4.h5", "2.8.0", 6, 37200),
    ("NhatThanh_FSRCNN/FSRCNN-x2.h5", "2.8.0", 20, 24647),
    ("NhatThanh_FSRCNN/FSRCNN-x3.h5", "2.8.0", 20, 24647),
    ("NhatThanh_FSRCNN/FSRCNN-x4.h5", "2.8.0", 20, 24647),
    ("NhatThanh_SRCNN/SRCNN-915.h5", "2.7.0", 6, 20099),
    ("NhatThanh_SRCNN/SRCNN-935.h5", "2.7.0", 6, 36483),
    ("NhatThanh_SRCNN/SRCNN-955.h5", "2.7.0", 6, 69251),
    ("cszn_DnCNN/DnCNN_sigma25_model.h5", "2.2.2", 78, 558016),
    ("itsadnanlone_CAE/autoencoder.h5", "2.13.1", 16, 56337),
    ("itsadnanlone_CAE/decoder.h5", "2.13.1", 6, 28033),
    ("itsadnanlone_CAE/encoder.h5", "2.13.1", 10, 28304),
    ("keras3/Achira/srcnn_model.keras", "3.4.1", 6, 36483),
    ("keras3/Vietanh/srcnn.keras", "2.15.0", 18, 20495),
    ("titu1994/Denoising AutoEncoder 2X.h5", "1", 10, 117379),
    ("titu1994/ResNetSR 2X.h5", "2.0.9", 78, 486659),
    ("titu1994/SR Weights 2X.h5", "1", 6, 20099),
  ]

  @Test(arguments: files) func isRead(
    file: String, version: String, tensors: Int, elements: Int
  ) throws {
    let path = try #require(SharedFolder.path("weights/keras/" + file))
    let read = try WeightsFile.read(path)
    #expect(read.origin.version == version)
    #expect(read.tensors.count == tensors)
    #expect(read.tensors.elementCount == elements)
    #expect(try read.tensors.loaded().elementCount == elements)
    #expect(read.layers.allSatisfy { $0.kind != .other })
    let isEmpty = read.unwrapping.notes.contains { $0.hasPrefix("no weights") }
    #expect(isEmpty == (tensors == 0))
  }

  @Test func theChoicesOfKeras1AreSaid() throws {
    let file = "weights/keras/titu1994/Denoising AutoEncoder 2X.h5"
    let read = try WeightsFile.read(try #require(SharedFolder.path(file)))
    #expect(read.tensors["deconvolution2d_1.weight"]?.steps == [.permuted([1, 0, 2, 3])])
    #expect(
      read.unwrapping.notes == [
        "Keras 1 with kernels in the order 'th', as their biases show",
        "kernels taken as they are: not trained with Theano, which the file does not say",
      ])
  }

  @Test func aDamagedFileIsRefused() throws {
    let path = try #require(
      SharedFolder.path("weights/damaged/coursera_encoder/encoder_weights.hdf5"))
    let error = try #require(throws: CheckpointError.self) { try WeightsFile.read(path) }
    #expect(error.description.hasPrefix("\(path): expected a file of weights, "))
  }
}
