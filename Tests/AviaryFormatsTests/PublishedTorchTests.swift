import AviaryCheckpoint
import AviaryFormats
import AviaryTestSupport
import Testing

/// Weights that other people published: container, protocol and nesting as they come in the wild.
///
/// Names, shapes and values are held against PyTorch by the content hash, which a script of its own
/// computed from what PyTorch reads (for the three pickled modules with inert classes in the place
/// of the missing ones). Skipped where the shared folder is absent.
@Suite(.enabled(if: SharedFolder.isPresent)) struct PublishedTorchTests {
  /// File, tensors, elements, and how the content hash begins.
  static let files: [(String, Int, Int, String)] = [
    ("CARN-M/carn_m.pth", 58, 414811, "b0f48c514ae47f2a"),
    ("Fivefold_SRCNN/Torch/weights/x3.pth", 6, 57281, "65e09d39c8c8e7b3"),
    ("IMDN/IMDN_x2.pth", 92, 694404, "22ec13f9e6956d26"),
    ("IMDN/model_RTC.pth", 56, 20190, "3c8a26dfe78be7fd"),
    ("NhatThanh_ESPCN/ESPCN-x2.pt", 6, 26796, "bb8a08e15b74ab7c"),
    ("NhatThanh_ESPCN/ESPCN-x3.pt", 6, 31131, "bad5dd5f34c19edb"),
    ("NhatThanh_ESPCN/ESPCN-x4.pt", 6, 37200, "05c57c2165f3fc96"),
    ("NhatThanh_FSRCNN/FSRCNN-x2.pt", 20, 24647, "f9bdf97b4d57c654"),
    ("NhatThanh_FSRCNN/FSRCNN-x3.pt", 20, 24647, "10991f4c1c418d0e"),
    ("NhatThanh_FSRCNN/FSRCNN-x4.pt", 20, 24647, "f5a0496d0c7ad556"),
    ("NhatThanh_FSRCNN/FSRCNN_x2_ckpt.pt", 20, 24647, "f9bdf97b4d57c654"),
    ("NhatThanh_SRCNN/SRCNN-915.pt", 6, 20099, "ef7e08e63a54579d"),
    ("NhatThanh_SRCNN/SRCNN-935.pt", 6, 36483, "66c3e25459ad002a"),
    ("NhatThanh_SRCNN/SRCNN-955.pt", 6, 69251, "e70ecf65c99190ad"),
    ("NhatThanh_SRCNN/SRCNN915_ckpt.pt", 6, 20099, "ef7e08e63a54579d"),
    ("NhatThanh_VDSR/VDSR.pt", 40, 668227, "b88e7646ec5742d4"),
    ("RFDN/RFDN_AIM.pth", 128, 433448, "f8ca1bfd5ac7abf0"),
    ("RLFN/rlfn_x2.pth", 114, 526856, "8cdff349088c016b"),
    ("cszn_DnCNN/DnCNN_sigma25_model.pth", 93, 558031, "c2dd94e4dd4df1c3"),
    ("pytorch_example_ESPCN/model_epoch_599.pth", 8, 59657, "39cc9419d82a5866"),
    ("sisr-irl/DRRN.pt", 4, 297216, "673cfb525867a74b"),
    ("sisr-irl/LapSRN_x2.pt", 14, 435344, "9023b1a1d6348764"),
    ("twtygqyy_VDSR/model_epoch_50.pth", 20, 664704, "897152a4b48f48c7"),
  ]

  @Test(arguments: files) func isReadAsPyTorchReadsIt(
    file: String, tensors: Int, elements: Int, hash: String
  ) throws {
    let path = try #require(SharedFolder.path("weights/pytorch/" + file))
    let source = try WeightsFile.read(path).tensors
    #expect(source.count == tensors)
    #expect(source.elementCount == elements)
    #expect(ContentHash.of(try source.loaded()).hasPrefix("sha256:" + hash))
  }
}
