import Aviary
import AviaryGraph
import AviaryImage
func go() throws {
  let a = CommandLine.arguments
  switch a[1] {
  case "eval":
    var o = ImportOptions()
    if a.count > 5 { o.colour = Picture.Colour(rawValue: a[5]) }
    if a.count > 6 { o.configuration = try JSON(parsing: a[6]) }
    let (m, r) = try Zoo().model(a[2], scale: Int(a[4])!, o)
    if let r { print(r.architecture, r.configuration.text, r.picture.text, r.assumed, r.names ?? "") }
    let e = try Evaluation(m, originals: a[3], scale: Int(a[4])!)
    print(e.mean)
  case "run":
    let (m, _) = try Zoo().model(a[2], scale: Int(a[5])!)
    print(try Upscaler(m, scale: Int(a[5])!).enlarge(from: a[3], to: a[4]))
  default: break
  }
}
do { try go() } catch { print("error: \(error)") }
