internal import AviaryGraph
internal import Glibc

extension OperationRow {
  package static let realFFT: [OperationRow] = [
    .init(.realFFT(RealFFT()), "{}", [2, 2, 5, 6], gives: [2, 4, 5, 4]),
    .init(
      .realFFT(RealFFT(norm: .ortho)), #"{"norm":"ortho"}"#, [1, 2, 4, 7], gives: [1, 4, 4, 4]),
    // Prime numbers so large that they are not done as factors.
    .init(
      .realFFT(RealFFT(norm: .forward)), #"{"norm":"forward"}"#, [1, 1, 37, 2],
      gives: [1, 2, 37, 2]),
  ]

  package static let inverseRealFFT: [OperationRow] = [
    .init(.inverseRealFFT(InverseRealFFT()), "{}", [2, 4, 5, 4], gives: [2, 2, 5, 6]),
    .init(
      .inverseRealFFT(InverseRealFFT(norm: .ortho)), #"{"norm":"ortho"}"#, [1, 4, 4, 4],
      [1, 1, 4, 7], gives: [1, 2, 4, 7]),
    .init(
      .inverseRealFFT(InverseRealFFT(norm: .forward)), #"{"norm":"forward"}"#, [1, 2, 3, 38],
      gives: [1, 1, 3, 74]),
  ]
}

/// Σ x[m, n] exp(-2 π i (k m / H + l n / W)), for l from 0 to W / 2.
func naiveRealFFT(_ x: NaiveArray, _ norm: FFTNorm) -> NaiveArray {
  let (height, width) = (x.shape[2], x.shape[3])
  let scale = naiveScale(norm, height * width, isInverse: false)
  return NaiveArray(
    [x.shape[0], 2 * x.shape[1], height, width / 2 + 1],
    naiveSpectrum([x.shape[0], 2 * x.shape[1], height, width / 2 + 1]) { image, channel, k, l in
      let isReal = channel < x.shape[1]
      let plane = (image * x.shape[1] + channel % x.shape[1]) * height * width
      var sum = 0.0
      for m in 0..<height {
        for n in 0..<width {
          let angle = naiveAngle(k * m, height) + naiveAngle(l * n, width)
          sum += x.values[plane + m * width + n] * (isReal ? cos(angle) : -sin(angle))
        }
      }
      return scale * sum
    })
}

/// Σ Y[k, l] exp(2 π i (k m / H + l n / W)) over all l, where Y[k, W - l] is the conjugate of
/// Y[H - k, l], and the real part of what is its own conjugate.
func naiveInverseRealFFT(_ x: NaiveArray, _ norm: FFTNorm, width: Int) -> NaiveArray {
  let (channels, height, half) = (x.shape[1] / 2, x.shape[2], x.shape[3])
  let scale = naiveScale(norm, height * width, isInverse: true)
  return NaiveArray(
    [x.shape[0], channels, height, width],
    naiveSpectrum([x.shape[0], channels, height, width]) { image, channel, m, n in
      let real = (2 * image * channels + channel) * height * half
      let imaginary = real + channels * height * half
      var sum = 0.0
      for k in 0..<height {
        for l in 0..<width {
          // The columns of the other half by their conjugates.
          let isThere = l < half
          let at = isThere ? k * half + l : (height - k) % height * half + width - l
          let angle = naiveAngle(k * m, height) + naiveAngle(l * n, width)
          let part = x.values[imaginary + at] * (isThere ? 1 : -1)
          sum += x.values[real + at] * cos(angle) - part * sin(angle)
        }
      }
      return scale * sum
    })
}

private func naiveSpectrum(
  _ shape: [Int], _ value: (Int, Int, Int, Int) -> Double
) -> [Double] {
  var result: [Double] = []
  forEachIndex(of: shape) { result.append(value($0[0], $0[1], $0[2], $0[3])) }
  return result
}

private func naiveAngle(_ product: Int, _ count: Int) -> Double {
  2 * Double.pi * Double(product % count) / Double(count)
}

private func naiveScale(_ norm: FFTNorm, _ pixels: Int, isInverse: Bool) -> Double {
  switch norm {
  case .backward: isInverse ? 1 / Double(pixels) : 1
  case .ortho: 1 / Double(pixels).squareRoot()
  case .forward: isInverse ? 1 : 1 / Double(pixels)
  }
}
