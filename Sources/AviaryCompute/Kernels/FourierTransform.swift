import Glibc

/// The discrete Fourier transform of complex numbers, of any length, in double precision.
///
/// Lengths of small prime factors go factor by factor (Cooley and Tukey, "An Algorithm for the
/// Machine Calculation of Complex Fourier Series", 1965); others as a convolution with a chirp, which
/// takes a length that is a power of two (Bluestein, "A Linear Filtering Approach to the Computation
/// of Discrete Fourier Transform", 1970).
struct FourierTransform {
  /// A real and an imaginary part.
  typealias Complex = SIMD2<Double>

  /// How many numbers are transformed.
  let count: Int
  private let method: Method

  /// How it is done.
  private indirect enum Method {
    case factors(Factors)
    case chirp(Chirp)
  }

  /// Prime factors beyond this make the sums of a factor longer than the convolution takes.
  private static let largestFactor = 31

  init(count: Int) {
    self.count = count
    let factors = FourierTransform.factors(of: count)
    method =
      factors.allSatisfy { $0 <= Self.largestFactor }
      ? .factors(Factors(count, factors)) : .chirp(Chirp(count))
  }

  /// Σ exp(-2 π i j k / count) x[j] for every k.
  func forward(_ x: [Complex]) -> [Complex] {
    switch method {
    case .factors(let factors): factors.forward(x)
    case .chirp(let chirp): chirp.forward(x)
    }
  }

  /// Σ exp(2 π i j k / count) x[j] for every k: not divided by the count.
  func backward(_ x: [Complex]) -> [Complex] {
    forward(x.map { Self.conjugate($0) }).map { Self.conjugate($0) }
  }

  /// A transform as one of transforms of every so many numbers.
  private struct Factors {
    let count: Int
    /// Prime numbers.
    let factors: [Int]
    /// exp(-2 π i k / count).
    let roots: [Complex]

    init(_ count: Int, _ factors: [Int]) {
      (self.count, self.factors) = (count, factors)
      roots = (0..<count).map { FourierTransform.root($0, of: count) }
    }

    func forward(_ x: [Complex]) -> [Complex] {
      var result = [Complex](repeating: Complex(), count: count)
      var terms = [Complex](repeating: Complex(), count: factors.max() ?? 1)
      run(x, from: 0, step: 1, to: &result, at: 0, count, factors[...], &terms)
      return result
    }

    /// The transform of every `step`-th number.
    private func run(
      _ x: [Complex], from: Int, step: Int, to result: inout [Complex], at start: Int, _ count: Int,
      _ factors: ArraySlice<Int>, _ terms: inout [Complex]
    ) {
      guard let factor = factors.first else {
        result[start] = x[from]
        return
      }
      let part = count / factor
      for i in 0..<factor {
        run(
          x, from: from + i * step, step: step * factor, to: &result, at: start + i * part, part,
          factors.dropFirst(), &terms)
      }
      // Roots of `count` are every so many of the whole.
      let stride = self.count / count
      for k in 0..<part {
        for i in 0..<factor {
          terms[i] = FourierTransform.product(
            result[start + i * part + k], roots[i * k * stride])
        }
        for q in 0..<factor {
          var sum = terms[0]
          for i in 1..<factor {
            sum += FourierTransform.product(terms[i], roots[i * q % factor * part * stride])
          }
          result[start + q * part + k] = sum
        }
      }
    }
  }

  /// A transform of another length, as a convolution.
  private struct Chirp {
    let count: Int
    /// exp(-π i k² / count).
    let numbers: [Complex]
    let transform: FourierTransform
    /// The transform of the chirp's conjugate.
    let spectrum: [Complex]

    init(_ count: Int) {
      self.count = count
      numbers = (0..<count).map { k in
        // The square by whole numbers, as it is large where the angle is small.
        let square = Int(UInt64(k).multipliedFullWidth(by: UInt64(k)).low % UInt64(2 * count))
        return FourierTransform.root(square, of: 2 * count)
      }
      var length = 1
      while length < 2 * count - 1 { length *= 2 }
      transform = FourierTransform(count: length)
      var filter = [Complex](repeating: Complex(), count: length)
      for (k, number) in numbers.enumerated() {
        filter[k] = FourierTransform.conjugate(number)
        if k > 0 { filter[length - k] = filter[k] }
      }
      spectrum = transform.forward(filter)
    }

    func forward(_ x: [Complex]) -> [Complex] {
      var padded = [Complex](repeating: Complex(), count: transform.count)
      for k in 0..<count { padded[k] = FourierTransform.product(x[k], numbers[k]) }
      let products = zip(transform.forward(padded), spectrum).map {
        FourierTransform.product($0, $1)
      }
      let sums = transform.backward(products)
      return (0..<count).map {
        FourierTransform.product(sums[$0], numbers[$0]) / Double(transform.count)
      }
    }
  }

  private static func root(_ k: Int, of count: Int) -> Complex {
    let angle = -2 * Double.pi * Double(k) / Double(count)
    return Complex(cos(angle), sin(angle))
  }

  @inline(__always)
  private static func product(_ a: Complex, _ b: Complex) -> Complex {
    Complex(a.x * b.x - a.y * b.y, a.x * b.y + a.y * b.x)
  }

  private static func conjugate(_ a: Complex) -> Complex { Complex(a.x, -a.y) }

  /// The prime factors, the smallest first.
  private static func factors(of count: Int) -> [Int] {
    var (left, factor) = (count, 2)
    var result: [Int] = []
    while left > 1 {
      if factor * factor > left { factor = left }
      while left % factor == 0 {
        result.append(factor)
        left /= factor
      }
      factor += 1
    }
    return result
  }
}
