// The page in a real browser without a network.
#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <memory>

#include "cli/report/figures.h"
#include "cli/report/page.h"
#include "cli/report/run_data.h"
#include "core/base/file.h"
#include "tests/cli/report/browser.h"
#include "tests/cli/report/synthetic_run.h"

namespace ponder::report {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class ReportBrowserTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const std::string chromium = FindChromium();
    if (chromium.empty()) GTEST_SKIP() << "no chromium on PATH (Debian package: chromium)";
    std::string pattern = ::testing::TempDir() + "ponder_browser_XXXXXX";
    folder_ = mkdtemp(pattern.data());
    browser_ = std::make_unique<Browser>(chromium, folder_ + "/profile");
  }
  void TearDown() override {
    browser_.reset();
    std::error_code ignored;
    if (!folder_.empty()) fs::remove_all(folder_, ignored);
  }

  // Writes the page of a run with a hostile prompt and opens it.
  std::string OpenPage(int width, bool dark) {
    const auto files = MakeRealFileSystem();
    SyntheticRun synthetic;
    synthetic.prompt = "<img src=http://example.org/x.png><script>document.title='owned'</script>";
    RunData run = ReadRun(*files, WriteSyntheticRun(folder_, synthetic));
    ReadTranscripts(*files, 100000, &run);
    const std::vector<ReportSection> sections = MakeFigures({run});
    num_figures_ = 0;
    for (const ReportSection& section : sections) num_figures_ += section.figures.size();
    const std::string path = folder_ + "/page.html";
    WriteFileAtomically(*files, path, RenderPage({run}, sections));
    browser_->Show(width, dark);
    browser_->Open(path);
    return "file://" + path;
  }

  std::string folder_;
  size_t num_figures_ = 0;
  std::unique_ptr<Browser> browser_;
};

TEST_F(ReportBrowserTest, LoadsNothingButItselfAndComplainsAboutNothing) {
  const std::string url = OpenPage(1600, /*dark=*/false);
  EXPECT_EQ(browser_->Evaluate("document.querySelectorAll('figure').length"), num_figures_);
  EXPECT_EQ(browser_->Evaluate(
                "[...document.querySelectorAll('figure')].filter(f => "
                "[...f.querySelectorAll('svg')].some(s => s.getBoundingClientRect().width > 200 && "
                "s.querySelector('polyline,polygon,path,circle'))).length"),
            num_figures_)
      << "every figure shows data";
  EXPECT_EQ(browser_->Evaluate("document.title"), "synthetic");
  EXPECT_EQ(browser_->Evaluate("document.querySelectorAll('img').length"), 0);
  EXPECT_THAT(browser_->complaints(), IsEmpty());
  EXPECT_THAT(browser_->requests(), ElementsAre(url));
}

TEST_F(ReportBrowserTest, FitsANarrowScreenAndFollowsTheColoursOfTheReader) {
  OpenPage(360, /*dark=*/false);
  EXPECT_LE(browser_->Evaluate("document.documentElement.scrollWidth"), 360);
  const auto background = browser_->Evaluate("getComputedStyle(document.body).backgroundColor");
  const auto line = browser_->Evaluate("getComputedStyle(document.querySelector('.s0')).stroke");
  browser_->Show(1600, /*dark=*/true);
  EXPECT_LE(browser_->Evaluate("document.documentElement.scrollWidth"), 1600);
  EXPECT_NE(browser_->Evaluate("getComputedStyle(document.body).backgroundColor"), background);
  EXPECT_NE(browser_->Evaluate("getComputedStyle(document.querySelector('.s0')).stroke"), line);
  EXPECT_THAT(browser_->complaints(), IsEmpty());
}

TEST_F(ReportBrowserTest, SwitchesTheColoursOfTranscripts) {
  OpenPage(1000, /*dark=*/false);
  const std::string colour_of = "getComputedStyle(document.querySelector('.transcripts ";
  const auto token = [&] { return browser_->Evaluate(colour_of + ".p4')).backgroundColor"); };
  const auto response = [&] {
    return browser_->Evaluate(colour_of + ".r1 .tokens')).backgroundColor");
  };
  const std::string nothing = "rgba(0, 0, 0, 0)";
  EXPECT_NE(token(), nothing);
  EXPECT_EQ(response(), nothing);
  browser_->Evaluate("document.getElementById('by-reward').click()");
  EXPECT_EQ(token(), nothing);
  EXPECT_NE(response(), nothing);
}

TEST_F(ReportBrowserTest, ShowsTheValuesUnderThePointer) {
  OpenPage(1000, /*dark=*/false);
  const auto box = browser_->Evaluate(
      "(() => { const s = [...document.querySelectorAll('figure')].find(f => "
      "f.textContent.includes("
      "'Gradient norm')).querySelector('svg'); s.scrollIntoView(); const r = "
      "s.getBoundingClientRect(); "
      "return [r.left + r.width * 0.98, r.top + r.height / 2]; })()");
  browser_->MovePointer(box[0], box[1]);
  const std::string shown = browser_->Evaluate(
      "[...document.querySelectorAll('output')].map(o => o.textContent).join('')");
  EXPECT_THAT(shown, HasSubstr("reason, step 30: grad_norm "));
}

}  // namespace
}  // namespace ponder::report
