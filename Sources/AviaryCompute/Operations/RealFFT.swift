import AviaryGraph
import AviaryThreads

extension RealFFT: KernelOperation {
  func candidates(_ fusedOp: FusedOp, _ ir: IRGraph) -> [KernelCandidate] {
    KernelCandidate.rowMajor
  }

  func lower(_ fusedOp: FusedOp, _ lowering: inout Lowering) throws(ComputeError) {
    let image = lowering.value(fusedOp.inputs[0]).shape
    lowering.analyse(
      fusedOp, image, scale: norm.scale(pixels: image[2] * image[3], isInverse: false), inner: 1)
  }

  func differentiate(_ fusedOp: FusedOp, _ gradient: Int, _ pass: inout Autodiff) {
    pass.pass(fusedOp, .gradient(.by(RealFFTGradient(norm: norm))), [gradient])
  }
}

extension InverseRealFFT: KernelOperation {
  func candidates(_ fusedOp: FusedOp, _ ir: IRGraph) -> [KernelCandidate] {
    KernelCandidate.rowMajor
  }

  func lower(_ fusedOp: FusedOp, _ lowering: inout Lowering) throws(ComputeError) {
    let image = lowering.value(fusedOp.output).shape
    // The half that is not there has the conjugates of this one, without its edges.
    lowering.synthesise(
      fusedOp, image, scale: norm.scale(pixels: image[2] * image[3], isInverse: true), inner: 2)
  }

  func differentiate(_ fusedOp: FusedOp, _ gradient: Int, _ pass: inout Autodiff) {
    pass.pass(fusedOp, .gradient(.by(InverseRealFFTGradient(norm: norm))), [gradient])
  }
}

/// By what was transformed. Takes the gradient by the spectrum, of which every number goes back alone.
struct RealFFTGradient: GradientKernel {
  var norm: FFTNorm

  var name: String { "rfft2 (gradient)" }
  func candidates(_ fusedOp: FusedOp, _ ir: IRGraph) -> [KernelCandidate] {
    KernelCandidate.rowMajor
  }
  func lower(_ fusedOp: FusedOp, _ lowering: inout Lowering) throws(ComputeError) {
    let image = lowering.value(fusedOp.output).shape
    lowering.synthesise(
      fusedOp, image, scale: norm.scale(pixels: image[2] * image[3], isInverse: false), inner: 1)
  }
}

/// By the spectrum. Takes the gradient by the image; the numbers that stand for two get both parts.
struct InverseRealFFTGradient: GradientKernel {
  var norm: FFTNorm

  var name: String { "irfft2 (gradient)" }
  func candidates(_ fusedOp: FusedOp, _ ir: IRGraph) -> [KernelCandidate] {
    KernelCandidate.rowMajor
  }
  func lower(_ fusedOp: FusedOp, _ lowering: inout Lowering) throws(ComputeError) {
    let image = lowering.value(fusedOp.inputs[0]).shape
    lowering.analyse(
      fusedOp, image, scale: norm.scale(pixels: image[2] * image[3], isInverse: true), inner: 2)
  }
}

extension Lowering {
  /// From images to half their spectra.
  ///
  /// - Parameters:
  ///   - image: the shape of the images.
  ///   - inner: what columns between the first and the middle one are multiplied by.
  fileprivate mutating func analyse(
    _ fusedOp: FusedOp, _ image: [Int], scale: Double, inner: Double
  ) {
    kernel(
      fusedOp, fusedOp.kind.name, [.value(fusedOp.inputs[0]), .value(fusedOp.output)],
      preparing: {
        let planes = SpectrumPlanes(image, scale: scale, inner: inner)
        return { memory, workers in unsafe planes.analyse(memory[0], to: memory[1], workers) }
      })
  }

  /// From half the spectra to images.
  fileprivate mutating func synthesise(
    _ fusedOp: FusedOp, _ image: [Int], scale: Double, inner: Double
  ) {
    kernel(
      fusedOp, fusedOp.kind.name, [.value(fusedOp.inputs[0]), .value(fusedOp.output)],
      preparing: {
        let planes = SpectrumPlanes(image, scale: scale, inner: inner)
        return { memory, workers in unsafe planes.synthesise(memory[0], to: memory[1], workers) }
      })
  }
}

/// Channels of images and half their spectra: planes of real parts, then of imaginary ones.
private struct SpectrumPlanes {
  private let images: Int
  private let channels: Int
  private let height: Int
  private let width: Int
  private let scale: Double
  private let inner: Double
  private let rows: FourierTransform
  private let columns: FourierTransform

  init(_ image: [Int], scale: Double, inner: Double) {
    (images, channels, height, width) = (image[0], image[1], image[2], image[3])
    (self.scale, self.inner) = (scale, inner)
    rows = FourierTransform(count: width)
    columns = FourierTransform(count: height)
  }

  /// The columns of half a spectrum.
  private var half: Int { width / 2 + 1 }
  /// About what a plane costs, in elements touched.
  private var cost: Int { 64 * height * width }

  func analyse(
    _ source: UnsafePointer<Float>, to target: UnsafeMutablePointer<Float>, _ workers: ThreadPool
  ) {
    workers.split(images * channels, cost: cost) { range in
      for plane in range {
        let image = unsafe source + plane * height * width
        let (real, imaginary) = places(plane)
        var spectrum: [[FourierTransform.Complex]] = []
        for y in 0..<height {
          let row = (0..<width).map {
            unsafe FourierTransform.Complex(Double(image[y * width + $0]), 0)
          }
          spectrum.append(Array(rows.forward(row).prefix(half)))
        }
        for x in 0..<half {
          let factor = scale * weight(x)
          for (y, value) in columns.forward(spectrum.map { $0[x] }).enumerated() {
            unsafe target[real + y * half + x] = Float(value.x * factor)
            unsafe target[imaginary + y * half + x] = Float(value.y * factor)
          }
        }
      }
    }
  }

  func synthesise(
    _ source: UnsafePointer<Float>, to target: UnsafeMutablePointer<Float>, _ workers: ThreadPool
  ) {
    workers.split(images * channels, cost: cost) { range in
      for plane in range {
        let image = unsafe target + plane * height * width
        let (real, imaginary) = places(plane)
        var lines = [[FourierTransform.Complex]](
          repeating: Array(repeating: FourierTransform.Complex(), count: width), count: height)
        for x in 0..<half {
          let column = (0..<height).map { y in
            unsafe FourierTransform.Complex(
              Double(source[real + y * half + x]), Double(source[imaginary + y * half + x]))
          }
          let factor = scale * weight(x)
          for (y, value) in columns.backward(column).enumerated() { lines[y][x] = value * factor }
        }
        // The real part of half the sum, the inner columns twice, is the sum of both halves.
        for (y, line) in lines.enumerated() {
          for (x, value) in rows.backward(line).enumerated() {
            unsafe image[y * width + x] = Float(value.x)
          }
        }
      }
    }
  }

  /// Where the real and the imaginary part of a channel's spectrum begin.
  private func places(_ plane: Int) -> (real: Int, imaginary: Int) {
    let (image, channel) = plane.quotientAndRemainder(dividingBy: channels)
    let size = height * half
    return (
      (2 * image * channels + channel) * size, ((2 * image + 1) * channels + channel) * size
    )
  }

  private func weight(_ column: Int) -> Double {
    column == 0 || 2 * column == width ? 1 : inner
  }
}
