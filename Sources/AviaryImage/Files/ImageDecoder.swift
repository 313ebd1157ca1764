import AviaryFiles

/// Reads one file: the header when it is made, then what is beside the pixels, then rows.
protocol ImageDecoder {
  /// What the header says.
  var stored: StoredImage { get }

  /// What the file says besides pixels. Damage that shows without decoding shows here, and so does
  /// a header that promises more than the file can hold. The file may be closed afterwards.
  ///
  /// - Throws: `ImageError.damaged`.
  func metadata(_ file: borrowing InputFile) throws(ImageError) -> ImageMetadata

  /// The next rows as stored, interleaved and without gaps, 16 bits in the machine's byte order.
  ///
  /// - Throws: `ImageError.damaged`.
  func rows(_ count: Int) throws(ImageError) -> [UInt8]
}

/// An image as it lies in a file: what a decoder hands over, before it is turned upright.
struct StoredImage {
  /// Columns.
  var width: Int
  /// Rows.
  var height: Int
  /// Gray or RGB, with alpha or not, and the depth of the samples handed over.
  var format: PixelFormat
  /// Bits of a sample in the file, or of an index into a palette.
  var bitDepth: Int
  /// Whether the file stores indices into a palette.
  var isPalette = false
  /// Whether all rows must be asked for at once.
  var isInterlaced = false
  /// Whether inks were converted to RGB.
  var isConvertedFromCMYK = false
  /// Bytes that the codec itself keeps while it decodes.
  var heldBytes = 0
  /// What must be done to see the image upright.
  var orientation = Orientation.upright

  /// Bytes of a pixel.
  var pixelBytes: Int { format.channels * format.bitDepth.byteCount }
  /// Bytes of a row.
  var rowBytes: Int { width * pixelBytes }
  /// Whether no band can be handed over before all rows were read.
  var isHeldWhole: Bool { isInterlaced || !orientation.keepsRowOrder }

  /// Where upright pixels are among so many rows as stored.
  func layout(height: Int) -> Samples.Layout {
    orientation.layout(width: width, height: height, rowBytes: rowBytes, pixelBytes: pixelBytes)
  }
}

/// Makes the bytes of one file, which are written as they come.
protocol ImageEncoder {
  /// What stands before the first row.
  mutating func begin() throws(ImageError) -> [[UInt8]]

  /// What the next rows complete. They have the format and width that were stated, and the file has
  /// room for them.
  ///
  /// - Throws: `ImageError.cannotWrite`.
  mutating func encode(_ band: Image) throws(ImageError) -> [[UInt8]]

  /// What stands after the last row.
  mutating func end() throws(ImageError) -> [[UInt8]]
}

/// What an encoder is to make: gray or RGB, of sides that were checked.
struct EncodedImage {
  /// For messages.
  var path: String
  /// Columns.
  var width: Int
  /// Rows.
  var height: Int
  /// The channels and the depth.
  var format: PixelFormat
  /// What to carry.
  var metadata: ImageMetadata
  /// How many threads compress; the file is the same whatever their number.
  var threads: Int
}
