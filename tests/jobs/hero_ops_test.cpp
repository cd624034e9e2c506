#include "core/base/json.h"
#include "jobs/hero_image/ops/check.h"
#include "jobs/hero_image/ops/compose.h"
#include "jobs/hero_image/ops/matte.h"
#include "jobs/hero_image/ops/segment.h"
#include "jobs/hero_image/ops/shadow.h"

#include <opencv2/imgproc.hpp>
#include <QtTest>

#include <algorithm>
#include <cmath>
#include <vector>

using namespace aiflow;
using namespace aiflow::hero;

namespace {

struct Scene {
    cv::Mat rgb;
    cv::Mat truth; // CV_8U, 0 or 255
};

// A red ring on a foot, with a rod of three pixels, on a gray sweep: a real hole, a thin part, an even background.
Scene lampOnSweep()
{
    Scene scene{cv::Mat(600, 600, CV_8UC3), cv::Mat::zeros(600, 600, CV_8U)};
    for (int y = 0; y < 600; ++y) scene.rgb.row(y).setTo(cv::Scalar::all(250 - y / 20));
    cv::circle(scene.truth, {300, 380}, 110, cv::Scalar(255), cv::FILLED);
    cv::circle(scene.truth, {300, 380}, 55, cv::Scalar(0), cv::FILLED);
    cv::rectangle(scene.truth, {299, 100}, {301, 275}, cv::Scalar(255), cv::FILLED);
    cv::Mat soft;
    cv::GaussianBlur(scene.truth, soft, {}, 0.7);
    for (int y = 0; y < 600; ++y)
        for (int x = 0; x < 600; ++x) {
            const float a = static_cast<float>(soft.at<std::uint8_t>(y, x)) / 255.0F;
            auto& pixel = scene.rgb.at<cv::Vec3b>(y, x);
            pixel = cv::Vec3b(cv::Vec3f(pixel) * (1 - a) + cv::Vec3f(180, 40, 30) * a);
        }
    return scene;
}

// What a small network would say: blurred, without the thin part.
cv::Mat coarse(const cv::Mat& truth)
{
    cv::Mat mask = truth.clone();
    mask.rowRange(0, 250).setTo(0);
    cv::GaussianBlur(mask, mask, {}, 4);
    return mask;
}

double overlap(const cv::Mat& one, const cv::Mat& other)
{
    return static_cast<double>(cv::countNonZero((one > 127) & (other > 127))) /
           cv::countNonZero((one > 127) | (other > 127));
}

cv::Mat heroOf(const Scene& scene, const ComposeOptions& options = {})
{
    return composeHero(scene.rgb, scene.truth, options).value();
}

bool ruleHolds(const Json& report, const char* rule)
{
    for (const Json& reason : report.at("reasons"))
        if (reason.at("rule") == rule) return reason.at("ok").get<bool>();
    return false;
}

} // namespace

class HeroOpsTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void evenBackgroundGivesTheExactCut()
    {
        const Scene scene = lampOnSweep();
        const Segmentation found = segmentProduct(scene.rgb, coarse(scene.truth));
        QVERIFY(found.method == Method::Flood);
        QVERIFY(overlap(softEdge(scene.rgb, found.mask), scene.truth) > 0.98);
    }

    void thinPartAndRealHoleSurvive()
    {
        const Scene scene = lampOnSweep();
        const cv::Mat mask = segmentProduct(scene.rgb, coarse(scene.truth)).mask;
        for (int y = 110; y < 260; ++y) QVERIFY2(mask.at<std::uint8_t>(y, 300) == 255, qPrintable(QString::number(y)));
        QCOMPARE(int(mask.at<std::uint8_t>(380, 300)), 0);
    }

    void sameInputsGiveTheSameMask()
    {
        Scene scene = lampOnSweep();
        cv::Mat noise(scene.rgb.size(), CV_8UC3);
        cv::RNG(7).fill(noise, cv::RNG::UNIFORM, 0, 90);
        scene.rgb -= noise; // uneven: GrabCut's way
        const cv::Mat one = segmentProduct(scene.rgb, coarse(scene.truth)).mask;
        const cv::Mat two = segmentProduct(scene.rgb, coarse(scene.truth)).mask;
        QVERIFY(!one.empty());
        QCOMPARE(cv::countNonZero(one != two), 0);
    }

    void emptyPictureHasNoProduct()
    {
        const cv::Mat white(200, 200, CV_8UC3, cv::Scalar::all(255));
        QVERIFY(segmentProduct(white, cv::Mat::zeros(200, 200, CV_8U)).mask.empty());
        QVERIFY(composeHero(white, cv::Mat::zeros(200, 200, CV_8U), {}).error().reason == Reason::ComputeNoResult);
    }

    void everythingOutsideProductAndShadowIsWhite()
    {
        const cv::Mat hero = heroOf(lampOnSweep());
        QCOMPARE(hero.size(), cv::Size(2000, 2000));
        const cv::Mat frame = hero.clone();
        frame(cv::Rect(20, 20, 1960, 1960)).setTo(cv::Scalar::all(255));
        QCOMPARE(cv::countNonZero(frame.reshape(1) != 255), 0);
    }

    void productFillsTheFrameAsAsked()
    {
        for (const double fill : {0.86, 0.90, 0.94}) {
            const cv::Mat hero = heroOf(lampOnSweep(), {1000, fill, 0});
            cv::Mat gray;
            cv::cvtColor(hero, gray, cv::COLOR_RGB2GRAY);
            const cv::Rect bounds = cv::boundingRect(gray < 244);
            QVERIFY2(std::abs(std::max(bounds.width, bounds.height) / 1000.0 - fill) < 0.01,
                     qPrintable(QString::number(fill)));
        }
    }

    void oldBackgroundDoesNotBleedIntoTheEdge()
    {
        // A green background behind a red disc: on white no pixel may be greener than red.
        cv::Mat rgb(400, 400, CV_8UC3, cv::Scalar(20, 200, 20));
        cv::Mat truth = cv::Mat::zeros(400, 400, CV_8U);
        cv::circle(truth, {200, 200}, 120, cv::Scalar(255), cv::FILLED);
        rgb.setTo(cv::Scalar(200, 20, 20), truth);
        cv::GaussianBlur(rgb, rgb, {}, 1.0);
        const cv::Mat alpha = softEdge(rgb, truth);
        const cv::Mat hero = composeHero(rgb, alpha, {1000, 0.9, 0}).value();
        int green = 0;
        for (int y = 0; y < hero.rows; ++y)
            for (int x = 0; x < hero.cols; ++x) {
                const auto& pixel = hero.at<cv::Vec3b>(y, x);
                if (pixel[1] > pixel[0] + 12) ++green;
            }
        QCOMPARE(green, 0);
    }

    void shadowStaysInItsZone()
    {
        cv::Mat alpha = cv::Mat::zeros(1000, 1000, CV_8U);
        alpha(cv::Rect(100, 300, 800, 400)).setTo(255);
        cv::Mat shadow = contactShadow(alpha, 1.0);
        QVERIFY(shadow.at<float>(701, 500) > 0.2F);
        shadow(shadowZone(boundsOf(alpha, 128), alpha.size())).setTo(0);
        QCOMPARE(cv::countNonZero(shadow), 0);
        QCOMPARE(cv::countNonZero(contactShadow(alpha, 0)), 0);
    }

    void goodPicturePasses()
    {
        const Scene scene = lampOnSweep();
        const Json report = checkHero({heroOf(scene), scene.rgb, scene.truth}, {});
        QVERIFY2(report.at("pass").get<bool>(), dumpJson(report).c_str());
        QCOMPARE(report.at("reasons").size(), std::size_t{8});
        QVERIFY(!report.at("reasons")[0].at("sentence").at("zh").get<std::string>().empty());
    }

    void grayBackgroundIsCaught()
    {
        cv::Mat hero = heroOf(lampOnSweep());
        hero = cv::min(hero, cv::Scalar::all(252));
        const Json report = checkHero({hero, {}, {}}, {});
        QVERIFY(!ruleHolds(report, "background"));
        QVERIFY(!ruleHolds(report, "corners"));
        QVERIFY(!report.at("pass").get<bool>());
    }

    void smallProductIsCaught()
    {
        const Json report = checkHero({heroOf(lampOnSweep(), {2000, 0.6, 0.5}), {}, {}}, {});
        QVERIFY(!ruleHolds(report, "fill"));
        QVERIFY(ruleHolds(report, "background"));
    }

    void smallPictureIsCaught()
    {
        QVERIFY(!ruleHolds(checkHero({heroOf(lampOnSweep(), {500, 0.9, 0.5}), {}, {}}, {}), "size"));
    }

    void productThatTouchesTheFrameIsCaught()
    {
        const Scene scene = lampOnSweep();
        cv::Mat cut = scene.truth.clone();
        cv::rectangle(cut, {200, 300}, {400, 599}, cv::Scalar(255), cv::FILLED);
        QVERIFY(!ruleHolds(checkHero({heroOf(scene), scene.rgb, cut}, {}), "clipped"));
    }

    void wideMaskIsCaughtAsAHalo()
    {
        const Scene scene = lampOnSweep();
        cv::Mat wide;
        cv::dilate(scene.truth, wide, cv::getStructuringElement(cv::MORPH_ELLIPSE, {9, 9}));
        QVERIFY(!ruleHolds(checkHero({heroOf(scene), scene.rgb, wide}, {}), "halo"));
    }

    void whiteFaceOnWhiteIsNotBitten()
    {
        // A face as light as the ground, drawn with a thin dark line that has gaps; the network doubts one place.
        cv::Mat rgb(600, 600, CV_8UC3, cv::Scalar::all(245));
        const cv::Rect box(150, 150, 300, 300);
        rgb(box).setTo(cv::Scalar::all(240));
        cv::rectangle(rgb, box, cv::Scalar::all(60), 2);
        for (int y = 160; y < 440; y += 20) rgb(cv::Rect(148, y, 6, 3)).setTo(cv::Scalar::all(242));
        cv::Mat truth = cv::Mat::zeros(600, 600, CV_8U);
        truth(box).setTo(255);
        cv::Mat prior = truth.clone();
        prior(cv::Rect(150, 250, 14, 80)).setTo(60);
        cv::GaussianBlur(prior, prior, {}, 4);
        const cv::Mat mask = segmentProduct(rgb, prior).mask;
        QVERIFY(overlap(mask, truth) > 0.98);
        QCOMPARE(cv::countNonZero(mask(cv::Rect(152, 240, 30, 100)) == 0), 0);
    }

    void raggedOutlineIsCaught()
    {
        const Scene scene = lampOnSweep();
        QVERIFY(ruleHolds(checkHero({heroOf(scene), scene.rgb, scene.truth}, {}), "outline"));
        cv::Mat ragged = scene.truth.clone();
        for (int i = 0; i < 60; ++i) {
            const double turn = i * CV_2PI / 60;
            const cv::Point2d way(std::cos(turn), std::sin(turn));
            const cv::Point2d middle(300, 380);
            cv::line(ragged, middle + way * 104, middle + way * 112, cv::Scalar(0), 4);
        }
        QVERIFY(!ruleHolds(checkHero({heroOf(scene), scene.rgb, ragged}, {}), "outline"));
    }

    void enlargedEdgeIsSmoothAndNarrow()
    {
        // A slanting edge with the steps of its pixels, eight times enlarged.
        cv::Mat rgb(200, 200, CV_8UC3, cv::Scalar::all(30));
        cv::Mat alpha = cv::Mat::zeros(200, 200, CV_8U);
        for (int y = 40; y < 160; ++y) alpha(cv::Rect(40 + y / 8, y, 80, 1)).setTo(255);
        const cv::Mat hero = composeHero(rgb, alpha, {1000, 0.9, 0}).value();
        cv::Mat gray;
        cv::cvtColor(hero, gray, cv::COLOR_RGB2GRAY);
        std::vector<double> places;
        for (int y = 300; y < 700; ++y) {
            const int dark = cv::countNonZero(gray(cv::Rect(0, y, 500, 1)) < 128);
            const int mixed =
                cv::countNonZero((gray(cv::Rect(0, y, 500, 1)) > 50) & (gray(cv::Rect(0, y, 500, 1)) < 230));
            QVERIFY2(mixed <= 5, qPrintable(QString::number(mixed)));
            places.push_back(500 - dark - y / 8.0);
        }
        const auto [least, most] = std::ranges::minmax(places);
        QVERIFY2(most - least < 5, qPrintable(QString::number(most - least))); // a step of the source is 7.5 pixels
    }

    void blurIsCaught()
    {
        Scene scene = lampOnSweep();
        cv::Mat hero = heroOf(scene);
        cv::GaussianBlur(hero, hero, {}, 25);
        QVERIFY(!ruleHolds(checkHero({hero, {}, {}}, {}), "sharpness"));
    }
};

QTEST_GUILESS_MAIN(HeroOpsTest)
#include "hero_ops_test.moc"
