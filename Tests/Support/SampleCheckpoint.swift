package import AviaryCheckpoint
import AviaryTensor

/// A small checkpoint with every element type of the format, and names out of order.
package func sampleCheckpoint() throws -> Checkpoint {
  var weights = NamedTensors()
  weights["encoder.1.weight"] = try Tensor(shape: [2, 1, 3, 3], (0..<18).map { Float($0) / 7 })
  weights["encoder.0.bias"] = try Tensor(shape: [2], [.pi, -0.0])
  weights["half"] = try Tensor(shape: [3], [1, 0.1, 65504]).converted(to: .float16)
  weights["brain"] = try Tensor(shape: [2], [1, 3e38]).converted(to: .bfloat16)
  weights["quantized"] = try Tensor(shape: [2], [-128, 127]).converted(to: .int8)
  weights["norm.num_batches_tracked"] = try Tensor(shape: [], [12]).converted(to: .int64)
  weights["nothing"] = try Tensor(zeros: [0, 4])
  var card = Card()
  card.licence = "MIT"
  card.provenance = [
    .init(file: "x2.pth", sha256: "00ff", format: "PyTorch zip", conversions: ["module. stripped"])
  ]
  card.quality = [.init(set: "Set5", scale: 2, psnr: 37.5, ssim: 0.95, measured: "Y")]
  return Checkpoint(
    weights: weights, architecture: "plain-cae", configuration: #"{"features":[32]}"#,
    graph: #"{"nodes":[]}"#, picture: #"{"colour":"é ✓"}"#, card: card,
    nonPersistent: ["norm.num_batches_tracked"], createdBy: "aviary 0.0-test")
}
