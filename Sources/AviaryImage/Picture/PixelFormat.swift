package import AviaryGraph
import CImageCodecs

/// The channels of an image, and the depth that it has in files.
public struct PixelFormat: Hashable, Sendable {
  /// What the colour channels mean.
  public var color: ColorModel
  /// Whether the last channel is alpha: straight (not multiplied into the colour), 0 transparent.
  public var hasAlpha: Bool
  /// The depth to write with. The values in memory are float32 whatever it is.
  public var bitDepth: BitDepth

  /// A format; without arguments besides the colour, opaque and of 8 bits.
  public init(_ color: ColorModel, hasAlpha: Bool = false, bitDepth: BitDepth = .eight) {
    self.color = color
    self.hasAlpha = hasAlpha
    self.bitDepth = bitDepth
  }

  /// All channels, alpha included.
  public var channels: Int { color.channels + (hasAlpha ? 1 : 0) }
}

extension PixelFormat: CustomStringConvertible {
  /// Such as `rgb with alpha, 16 bits`.
  public var description: String {
    "\(color)\(hasAlpha ? " with alpha" : ""), \(bitDepth.rawValue) bits"
  }
}

/// The bits of a sample when it is rounded or written to a file.
public enum BitDepth: Int, Codable, Hashable, Sendable {
  case eight = 8
  case sixteen = 16
  /// IEEE single precision, in formats that have it: values from 0 to 1 that are not rounded.
  case float = 32

  /// The largest integer of this depth, which stands for the value 1.
  public var maximum: Int { self == .float ? 1 : (1 << rawValue) - 1 }

  package var byteCount: Int { rawValue / 8 }
}

/// What the colour channels of an image mean.
public enum ColorModel: String, CaseIterable, Codable, Hashable, Sendable {
  /// Gray values over the full range, one channel.
  case gray
  /// Red, green and blue as stored in the file (no conversion to linear light), three channels.
  case rgb
  /// The Y of BT.601 in studio range (16/255 to 235/255), one channel. Of a gray image it is the
  /// gray value itself: see `Image.converted(to:)`.
  case luma
  /// Y, Cb, Cr of BT.601 in studio range, as MATLAB's `rgb2ycbcr` gives them, three channels.
  case ycbcr
  /// Y, Cb, Cr over the full range as in JPEG files (JFIF), three channels.
  case fullRangeYCbCr

  /// The colour channels, without alpha.
  public var channels: Int {
    switch self {
    case .gray, .luma: 1
    case .rgb, .ycbcr, .fullRangeYCbCr: 3
    }
  }
}

extension ImageSpec.Colour {
  /// The colour model in which an image of the given colours goes into the network.
  package func model(for source: ColorModel) -> ColorModel {
    switch self {
    case .rgb, .rgba: .rgb
    // Colour goes through a network on gray channel by channel.
    case .gray: source == .gray ? .gray : .rgb
    case .luma: .luma
    case .ycbcr: .ycbcr
    case .ycbcrJPEG: .fullRangeYCbCr
    }
  }
}

/// Between planes of floats and a file's rows of interleaved integers.
enum Samples {
  /// Where in a buffer of interleaved samples the pixel (row, column) begins, in bytes:
  /// `origin + row * rowStep + column * columnStep`. Negative and exchanged steps turn the image.
  struct Layout {
    var origin: Int
    var rowStep: Int
    var columnStep: Int
  }

  /// The integer that stands for `value`: limited, halves rounded up, NaN to 0.
  @inline(__always)
  static func level(_ value: Float, maximum: Float) -> Int32 {
    // NaN fails the comparison.
    let limited = value > 0 ? (value < 1 ? value : 1) : 0
    return Int32(limited * maximum + 0.5)
  }

  /// Planes of floats from interleaved integers, 16 bits in the machine's byte order.
  static func unpack(
    _ bytes: UnsafeRawBufferPointer, _ layout: Layout, depth: BitDepth,
    into image: inout Image
  ) {
    let (channels, height, width) = (image.channels, image.height, image.width)
    guard let source = unsafe bytes.bindMemory(to: UInt8.self).baseAddress else { return }
    unsafe image.withMutableFloats { target in
      guard let target = target.baseAddress else { return }
      for c in 0..<channels {
        for row in 0..<height {
          let from = unsafe source + layout.origin + row * layout.rowStep + c * depth.byteCount
          let to = unsafe target + (c * height + row) * width
          switch depth {
          case .eight: unsafe cimg_unpack_8(from, width, layout.columnStep, to)
          case .sixteen: unsafe cimg_unpack_16(from, width, layout.columnStep, to)
          case .float: unsafe cimg_unpack_32(from, width, layout.columnStep, to)
          }
        }
      }
    }
  }

  /// Interleaved integers, without gaps between rows, from some rows of an image; 16 bits with the
  /// high byte first, as PNG has them, floats as the machine has them.
  static func pack(
    _ image: Image, rows: Range<Int>, depth: BitDepth, into bytes: UnsafeMutableRawBufferPointer
  ) {
    let (channels, height, width) = (image.channels, image.height, image.width)
    guard let target = unsafe bytes.bindMemory(to: UInt8.self).baseAddress else { return }
    unsafe image.withFloats { source in
      guard let source = source.baseAddress else { return }
      for c in 0..<channels {
        for row in rows {
          let from = unsafe source + (c * height + row) * width
          let to =
            unsafe target
            + ((row - rows.lowerBound) * width * channels + c) * depth.byteCount
          switch depth {
          case .eight: unsafe cimg_pack_8(from, width, channels, to)
          case .sixteen: unsafe cimg_pack_16(from, width, channels, to)
          case .float: unsafe cimg_pack_32(from, width, channels, to)
          }
        }
      }
    }
  }
}
