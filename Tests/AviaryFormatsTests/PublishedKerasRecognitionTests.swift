import AviaryFormats
import Aviary
import AviaryGraph
import AviaryTestSupport
import Testing

/// What other people's Keras weights are recognised as. Skipped where the shared folder is absent.
@Suite(.enabled(if: SharedFolder.isPresent)) struct PublishedKerasRecognitionTests {
  /// File and network; nil where none of our architectures is that of the file.
  static let files: [(String, String?)] = [
    ("HTAKM_CAE/denoising_autoencoder.h5", nil),
    (
      "MarkPrecursor_SRCNN/3051crop_weight_200.h5",
      #"srcnn {"activation":"relu","channels":1,"filters":[128,64],"kernels":[9,3,5]"#
    ),
    (
      "MarkPrecursor_SRCNN/m_model_adam_new30.h5",
      #"srcnn {"activation":"relu","channels":1,"filters":[128,64],"kernels":[9,1,5]"#
    ),
    (
      "NhatThanh_ESPCN/ESPCN-x2.h5",
      #"espcn {"activation":"tanh","channels":3,"features":[64,32],"scale":2}"#
    ),
    (
      "NhatThanh_ESPCN/ESPCN-x3.h5",
      #"espcn {"activation":"tanh","channels":3,"features":[64,32],"scale":3}"#
    ),
    (
      "NhatThanh_ESPCN/ESPCN-x4.h5",
      #"espcn {"activation":"tanh","channels":3,"features":[64,32],"scale":4}"#
    ),
    (
      "NhatThanh_FSRCNN/FSRCNN-x2.h5",
      #"fsrcnn {"channels":3,"features":56,"mapping":4,"mappingActivations":false,"origin":"keras""#
    ),
    (
      "NhatThanh_FSRCNN/FSRCNN-x3.h5",
      #"fsrcnn {"channels":3,"features":56,"mapping":4,"mappingActivations":false,"origin":"keras""#
    ),
    (
      "NhatThanh_FSRCNN/FSRCNN-x4.h5",
      #"fsrcnn {"channels":3,"features":56,"mapping":4,"mappingActivations":false,"origin":"keras""#
    ),
    (
      "NhatThanh_SRCNN/SRCNN-915.h5",
      #"srcnn {"activation":"relu","channels":3,"filters":[64,32],"kernels":[9,1,5]"#
    ),
    (
      "NhatThanh_SRCNN/SRCNN-935.h5",
      #"srcnn {"activation":"relu","channels":3,"filters":[64,32],"kernels":[9,3,5]"#
    ),
    (
      "NhatThanh_SRCNN/SRCNN-955.h5",
      #"srcnn {"activation":"relu","channels":3,"filters":[64,32],"kernels":[9,5,5]"#
    ),
    (
      "cszn_DnCNN/DnCNN_sigma25_model.h5",
      #"dncnn {"activation":"relu","bias":false,"channels":1,"epsilon":"#
    ),
    ("itsadnanlone_CAE/autoencoder.h5", nil),
    (
      "keras3/Achira/srcnn_model.keras",
      #"srcnn {"activation":"relu","channels":3,"filters":[64,32],"kernels":[9,3,5]"#
    ),
    // With batch normalisation.
    ("keras3/Vietanh/srcnn.keras", nil),
    ("titu1994/Denoising AutoEncoder 2X.h5", nil),
    ("titu1994/ResNetSR 2X.h5", nil),
    (
      "titu1994/SR Weights 2X.h5",
      #"srcnn {"activation":"relu","channels":3,"filters":[64,32],"kernels":[9,1,5]"#
    ),
  ]

  @Test(arguments: files) func isRecognised(file: String, network: String?) throws {
    let path = try #require(SharedFolder.path("weights/keras/" + file))
    let found = try StructureMatcher.recognise(WeightsFile.read(path), registry: .builtin)
    if let network {
      #expect(found?.fit.network.label.hasPrefix(network) == true)
    } else {
      #expect(found == nil)
    }
  }
}
