@echo off
chcp 65001 >nul
title 文控 Wenkong
set PYTHONUTF8=1
set QMS_RUN=py -m controller
where py >nul 2>nul
if errorlevel 1 set QMS_RUN=python -m controller
%QMS_RUN% --version >nul 2>nul
if errorlevel 1 goto missing
where git >nul 2>nul
if errorlevel 1 goto nogit
doskey qms=%QMS_RUN% $*
if not "%~1"=="" cd /d "%~1"
if "%~1"=="" if exist "%USERPROFILE%\Documents" cd /d "%USERPROFILE%\Documents"
echo.
echo   文控已经准备好。现在的文件夹：
echo   %CD%
echo.
echo   第一次使用，新建工作区（把名称换成您公司的）：
echo     qms init 质量体系 --company 某某医疗器械有限公司 --prefix XX
echo     cd 质量体系
echo.
echo   登记一个来电：  qms record new XX-YLQXJL-013
echo   看全部记录：    qms record list
echo   生成台账：      qms register build TZ-06 --format xlsx --out 台账.xlsx
echo   查帮助：        qms --help
echo.
echo   小窍门：把工作区文件夹拖到本文件的图标上，打开后就在那个文件夹里。
echo.
cmd /k prompt $P$G
exit /b 0

:missing
echo.
echo   还没有安装文控，或者没有安装 Python。
echo.
echo   1. 到 python.org 下载并安装 Python 3.11 或更新版本，勾选 Add python.exe to PATH
echo   2. 在文控的文件夹里，按住 Shift 点右键，打开命令窗口，输入：
echo        py -m pip install .
echo   3. 再双击本文件
echo.
pause
exit /b 1

:nogit
echo.
echo   还没有安装 Git。文控用它保存文件历史，您平时不会看见它。
echo   请到 git-scm.com 下载 Git for Windows，一路“下一步”装好，再双击本文件。
echo.
pause
exit /b 1
