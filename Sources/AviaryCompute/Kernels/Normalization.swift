import AviaryThreads
import CKernels

/// Normalisation of rows by their own mean and spread, with a weight and a bias for each number of
/// a row.
///
/// A row is worked on by one thread in one order, so that results do not depend on how many there
/// are.
struct RowNormalization {
  let rows: Rows
  private let how: aviary_normalization

  init(_ rows: Rows, _ how: aviary_normalization) { (self.rows, self.how) = (rows, how) }

  func run(
    _ from: UnsafePointer<Float>, to: UnsafeMutablePointer<Float>, weight: UnsafePointer<Float>?,
    bias: UnsafePointer<Float>?, _ workers: ThreadPool
  ) {
    rows.split(workers, cost: 2) { place, count in
      unsafe withUnsafePointer(to: how) { how in
        unsafe aviary_normalize(how, from + place, to + place, count, weight, bias)
      }
    }
  }

  /// How many parts the gradients by weight and bias are summed in: by the shape alone, so that the
  /// order of sums is always the same.
  var parts: Int { max(min(rows.items, 64, (1 << 20) / max(rows.width, 1)), 1) }

  /// - Parameter sums: for each part and each number of a row the sums that the gradients by weight
  ///   and bias are made of.
  func runBackward(
    _ gradient: UnsafePointer<Float>, _ from: UnsafePointer<Float>,
    to: UnsafeMutablePointer<Float>, weight: UnsafePointer<Float>?,
    sums: UnsafeMutablePointer<Double>, _ workers: ThreadPool
  ) {
    let parts = parts
    workers.split(parts, cost: 4 * rows.count * rows.width / parts) { range in
      for part in range {
        let own = unsafe sums + part * 2 * rows.width
        unsafe own.update(repeating: 0, count: 2 * rows.width)
        for item in rows.items * part / parts..<rows.items * (part + 1) / parts {
          rows.body(of: item) { place, count in
            unsafe withUnsafePointer(to: how) { how in
              unsafe aviary_normalize_gradient(
                how, gradient + place, from + place, to + place, count, weight, own)
            }
          }
        }
      }
    }
  }

  /// The gradient by the weight (`position` 0) or the bias (1).
  func sum(_ sums: UnsafePointer<Double>, _ position: Int, to target: UnsafeMutablePointer<Float>) {
    for i in 0..<rows.width {
      var total = 0.0
      for part in 0..<parts { unsafe total += sums[(2 * part + position) * rows.width + i] }
      unsafe target[i] = Float(total)
    }
  }
}

/// Normalisation over the channels of each pixel of images in nChw16c.
struct BlockedNormalization {
  private let images: Int
  private let pixels: Int
  private let how: aviary_normalization

  /// As many pixels go to a kernel at once.
  private static let part = 256

  /// - Parameter shape: images, channels (a multiple of 16), rows, columns.
  init(_ shape: [Int], _ how: aviary_normalization) {
    (images, pixels) = (shape[0], shape[2] * shape[3])
    self.how = how
  }

  func run(
    _ from: UnsafePointer<Float>, to: UnsafeMutablePointer<Float>, weight: UnsafePointer<Float>?,
    bias: UnsafePointer<Float>?, _ workers: ThreadPool
  ) {
    let parts = (pixels + Self.part - 1) / Self.part
    workers.split(images * parts, cost: 2 * how.width * min(pixels, Self.part)) { range in
      for item in range {
        let (image, part) = item.quotientAndRemainder(dividingBy: parts)
        let first = part * Self.part
        let place = image * pixels * how.width + first * MemoryFormat.block
        unsafe withUnsafePointer(to: how) { how in
          unsafe aviary_normalize_blocks(
            how, from + place, to + place, min(Self.part, pixels - first), weight, bias)
        }
      }
    }
  }
}

/// Long rows that lie one behind the other, whose mean and spread are found in parts, side by side.
struct LongRows {
  let count: Int
  let width: Int

  /// As many numbers have a mean of their own: they stay in the cache for a second look.
  private static let part = 8192

  /// From this width on several threads work on a row.
  static let least = 4 * part

  /// How many parts a row has.
  var parts: Int { (width + Self.part - 1) / Self.part }

  /// The numbers of a part.
  func range(ofPart part: Int) -> Range<Int> {
    part * Self.part..<min((part + 1) * Self.part, width)
  }

  /// The bytes that the moments of all parts take.
  var byteCount: Int { 2 * count * parts * MemoryLayout<Double>.stride }

  /// Finds mean and sum of squared distances of every part.
  func measure(
    _ from: UnsafePointer<Float>, to moments: UnsafeMutablePointer<Double>, _ workers: ThreadPool
  ) {
    workers.split(count * parts, cost: min(width, Self.part)) { range in
      for item in range {
        let (row, part) = item.quotientAndRemainder(dividingBy: parts)
        let numbers = self.range(ofPart: part)
        unsafe aviary_moments(
          from + row * width + numbers.lowerBound, numbers.count, moments + 2 * item,
          moments + 2 * item + 1)
      }
    }
  }

  /// The mean of a row and the sum of squared distances from it, of those of its parts (Chan, Golub
  /// and LeVeque, 1979).
  func moments(
    ofRow row: Int, _ moments: UnsafePointer<Double>
  ) -> (mean: Double, squares: Double) {
    let own = unsafe moments + 2 * row * parts
    var (mean, squares, known) = unsafe (own[0], own[1], range(ofPart: 0).count)
    for part in 1..<parts {
      let more = range(ofPart: part).count
      let share = Double(more) / Double(known + more)
      let gap = unsafe own[2 * part] - mean
      mean += gap * share
      unsafe squares += own[2 * part + 1] + gap * gap * Double(known) * share
      known += more
    }
    return (mean, squares)
  }
}

extension aviary_normalization {
  /// What a row with these moments is multiplied by.
  func factor(_ mean: Double, _ squares: Double) -> Double {
    unsafe withUnsafePointer(to: self) { unsafe aviary_normalizing_factor($0, mean, squares) }
  }
}
